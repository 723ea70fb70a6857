// A draft: what the form has, what the server has, and how to save it without creating the
// referral twice or overwriting someone else's change.
import { me } from "../identity/member.js";
import { beforeSignOut, hasLostEntries, onSignOut } from "../identity/session.js";
import { computed, signal } from "../platform/dom.js";
import { ApiProblem } from "../platform/http.js";
import { IdempotentRequest } from "../platform/idempotent_request.js";
import { getAt, isSame, merge, setAt } from "../platform/json_document.js";
import { buildFormHref, navigate, replaceWith, route } from "../platform/route.js";
import { getNowAfter } from "../platform/timestamps.js";
import { saveWithRefused } from "./partial_save.js";
import { listChanges, pickSections, toRequestBody } from "./referral_document.js";
import { changeReferral, createReferral, getReferral, sendEvent } from "./referrals_api.js";
import { addUnfinished, listStillUnfinished } from "./unfinished_document.js";

const STALE_AFTER_MS = 30_000;

/** What a new referral starts with: a provider who signs in refers for themselves. */
const buildNewValues = () => ({
  urgency: "routine",
  ...(me.value?.roles.includes("provider") && { referring_provider: { name: me.value.name } }),
});

const pickValues = (referral) => addUnfinished(pickSections(referral), referral.unfinished ?? []);

export class Draft {
  /** @param {any} [referral] as the API returned it @param {string | null} [etag] */
  constructor(referral = null, etag = null) {
    this.values = signal(referral ? pickValues(referral) : buildNewValues());
    this.referral = signal(referral);
    /** The closed referral that a new one continues. */
    this.continues = referral?.continues ?? null;
    this.errors = signal(/** @type {any[]} */ ([]));
    this.problem = signal(/** @type {any} */ (null));
    this.savedAt = signal(/** @type {any} */ (null));
    this.busy = signal(false);
    this.serverChanges = signal(/** @type {any[]} */ ([]));
    this.base = signal(this.values.value);
    /** The save that runs while the user types, and what it could not save. */
    this.autosave = signal(/** @type {Promise<void> | null} */ (null));
    this.refused = signal(/** @type {any} */ (null));
    /** Why the values that the server keeps as unfinished are not accepted. */
    this.refusals = signal(/** @type {any[]} */ ([]));
    /** Whether the user discarded it, so that nothing saves it again. */
    this.isDiscarded = false;
    /** The provider whom the user chose, so that another choice can replace it. */
    this.filledProvider = /** @type {any} */ (null);
    this.etag = etag;
    this.readAt = Date.now();
    this.creation = new IdempotentRequest(createReferral);
    this.withdrawal = new IdempotentRequest((body, key) => sendEvent(this.id, body, key));
    this.sending = new IdempotentRequest((body, key) => sendEvent(this.id, body, key));
    this.isDirty = computed(() => Object.keys(listChanges(this.values.value, this.base.value)).length > 0);
  }

  get id() {
    return this.referral.value?.referral_id ?? null;
  }

  get(pointer) {
    return getAt(this.values.value, pointer) ?? "";
  }

  set(pointer, value) {
    this.values.value = setAt(this.values.value, pointer, value);
    const isOther = (error) => error.pointer !== pointer && !error.pointer.startsWith(`${pointer}/`);
    if (this.errors.value.length) this.errors.value = this.errors.value.filter(isOther);
    if (this.refusals.value.length) this.refusals.value = this.refusals.value.filter(isOther);
  }

  /** What the server keeps of this draft although its fields refuse it. */
  get unfinished() {
    return this.referral.value?.unfinished ?? [];
  }

  /** Fill in the provider who signs in. It is no change of the user, so it alone creates no draft. */
  startWithProvider(own) {
    const untouched = buildNewValues().referring_provider;
    const current = this.values.value.referring_provider;
    if (this.id || !untouched || !isSame(current, untouched) || !isSame(this.base.value.referring_provider, untouched))
      return;
    const { npi, phone, email } = own;
    const referring_provider = { ...current, npi, phone, email };
    this.values.value = { ...this.values.value, referring_provider };
    this.base.value = { ...this.base.value, referring_provider };
    this.filledProvider = own;
  }

  /** Whether typing saves. After submission each save is a correction that the center is notified of. */
  get savesWhileTyping() {
    return !this.referral.value?.submitted_at;
  }

  /** Save the draft. Returns whether the server has all of it now. */
  async save() {
    if (!this.id && !this.isDirty.value)
      return this.#showProblem({ message: "Nothing to save yet. Enter at least one field.", passing: false });
    return this.#run(() => this.#store());
  }

  /** Save what the server accepts, and move no focus. What it refuses stays in the form. */
  async saveWhileTyping() {
    // After someone else's change, the user first reads what changed.
    if (
      this.isDiscarded ||
      this.busy.value ||
      !this.savesWhileTyping ||
      !this.isDirty.value ||
      this.serverChanges.value.length
    )
      return;
    this.autosave.value ??= this.#storeAccepted().finally(() => (this.autosave.value = null));
    await this.autosave.value;
  }

  /** Ask the server again about the unfinished values: why they are refused, or whether they are valid now. */
  async checkUnfinished() {
    if (!this.unfinished.length || this.refusals.value.length) return;
    if (this.isDiscarded || this.busy.value || !this.savesWhileTyping) return;
    this.autosave.value ??= this.#storeAccepted(true).finally(() => (this.autosave.value = null));
    await this.autosave.value;
  }

  async #storeAccepted(isRecheck = false) {
    this.refused.value = null;
    const how = { partly: true, isRecheck };
    try {
      await this.#store(how).catch(async (problem) => {
        if (problem.status !== 412) throw problem;
        if (!(await this.catchUp())) await this.#store(how);
      });
    } catch (problem) {
      this.refused.value = problem;
    }
    renameDraft(this);
  }

  /** Save the draft, then submit it to the center. Returns whether it was submitted. */
  async submit() {
    if (!(await this.save())) return false;
    const occurred_at = getNowAfter(this.referral.value.stage_since);
    return this.#run(async () => {
      const { status } = await this.sending.run({ type: "stage.changed", occurred_at, data: { stage: "submitted" } });
      if (status === "recorded")
        throw new ApiProblem(409, {
          detail: "Not submitted. A later status is already recorded for this referral. Check the timeline.",
        });
    });
  }

  /** Load the latest version, keep the entries of this page, and list what changed on the server. */
  async catchUp() {
    const { data, etag } = await getReferral(this.id);
    const [before, mine] = [this.base.value, this.values.value];
    /** @type {string[]} */
    const conflicts = [];
    this.adopt(data, etag, before, conflicts);
    // If the server has the values of this page, only a response was lost, and nothing else changed.
    this.serverChanges.value = Object.keys(listChanges(this.base.value, before))
      .filter((name) => !isSame(this.base.value[name], mine[name]))
      .map((name) => ({ name, conflicts: conflicts.filter((pointer) => pointer.startsWith(`/${name}`)) }));
    return this.serverChanges.value.length > 0;
  }

  async #run(work) {
    if (this.busy.value) return false;
    this.busy.value = true;
    this.problem.value = null;
    this.errors.value = [];
    try {
      await this.autosave.value;
      this.refused.value = null;
      await work().catch(async (problem) => {
        if (problem.status !== 412) throw problem;
        if (await this.catchUp()) throw problem;
        await work();
      });
      return true;
    } catch (problem) {
      return this.#showProblem(problem);
    } finally {
      this.busy.value = false;
    }
  }

  /** Save, as it was typed, also what the fields refuse; without `partly`, one refused value stops the save. */
  async #send(typed, buildBody, send, { partly = false, isRecheck = false }) {
    if (!partly) {
      const body = buildBody(typed, []);
      const response = body && (await send(body));
      this.refusals.value = [];
      return response;
    }
    const { response, refusals } = await saveWithRefused({
      typed,
      stored: this.id ? pickSections(this.referral.value) : {},
      parts: isRecheck ? [] : listStillUnfinished(typed, this.unfinished),
      refusals: isRecheck ? [] : this.refusals.value,
      buildBody,
      send,
    });
    this.refusals.value = refusals;
    return response;
  }

  /** @param {{partly?: boolean, isRecheck?: boolean}} how */
  async #store(how = {}) {
    this.serverChanges.value = [];
    if (!this.id) {
      // If the response of an earlier try was lost, repeat that request. Later entries follow below.
      const lost = this.creation.unresolved?.body;
      const typed = lost ? addUnfinished(lost, lost.unfinished ?? []) : this.values.value;
      const buildBody = (accepted, unfinished) => ({
        ...toRequestBody(accepted),
        ...(unfinished.length && { unfinished }),
        ...(this.continues && { continues: this.continues }),
      });
      const create = (body) => this.creation.run(body);
      const { data, etag } = lost ? await create(lost) : await this.#send(typed, buildBody, create, how);
      this.adopt(data, etag, typed);
    }
    const typed = this.values.value;
    const buildBody = (accepted, unfinished) => {
      const changes = listChanges(accepted, pickSections(this.referral.value));
      if (!isSame(unfinished, this.unfinished)) changes.unfinished = unfinished;
      return Object.keys(changes).length ? changes : null;
    };
    const change = (body) => changeReferral(this.id, body, /** @type {string} */ (this.etag));
    const changed = await this.#send(typed, buildBody, change, how);
    if (changed) this.adopt(changed.data, changed.etag, { ...this.base.value, ...typed });
    if (changed || !how.isRecheck) this.savedAt.value = new Date().toISOString();
  }

  /** Merge the server's current `referral`. `expected` is the version that this page expected there. */
  adopt(referral, etag, expected, conflicts = []) {
    const theirs = pickValues(referral);
    this.values.value = merge(expected, this.values.value, theirs, conflicts);
    this.base.value = theirs;
    this.referral.value = referral;
    this.etag = etag;
    this.readAt = Date.now();
  }

  #showProblem(problem) {
    this.errors.value = problem.errors ?? [];
    // The list of server changes explains a 412, and the error summary explains field errors.
    const isExplained = problem.errors?.length || this.serverChanges.value.length;
    this.problem.value = isExplained ? null : problem;
    return false;
  }
}

// Drafts stay in memory while the user visits other pages, so that no entry is lost.
const openDrafts = new Map();
onSignOut(() => {
  if ([...openDrafts.values()].some((draft) => draft.isDirty.peek())) hasLostEntries.value = true;
  openDrafts.clear();
});

/** Save the open drafts. What cannot be saved stays in memory. */
const saveOpenDrafts = () => Promise.all([...openDrafts.values()].map((draft) => draft.saveWhileTyping()));
beforeSignOut(saveOpenDrafts);
addEventListener("online", saveOpenDrafts);

addEventListener("beforeunload", (event) => {
  if ([...openDrafts.values()].some((draft) => draft.isDirty.value)) event.preventDefault();
});

/** The open draft with this id, or the one new referral. */
export async function loadDraft(id) {
  const key = id || "new";
  const open = openDrafts.get(key);
  if (!open) {
    const loaded = id ? await getReferral(id) : null;
    openDrafts.set(key, new Draft(loaded?.data, loaded?.etag));
  } else if (id && !open.isDirty.value && Date.now() - open.readAt > STALE_AFTER_MS) {
    await open.catchUp();
  }
  return openDrafts.get(key);
}

/**
 * Start a new referral from a closed one. Its consent and its day of referral belong to it,
 * so they must be entered again.
 *
 * @returns {boolean} false if another new referral has unsaved entries
 */
export function startReferralFromClosed(referral) {
  const open = openDrafts.get("new");
  if (open?.continues === referral.referral_id) return true;
  if (open?.isDirty.value) return false;
  const draft = new Draft();
  const center_id = referral.suggested_center_id || referral.center?.center_id;
  draft.values.value = { ...pickSections(referral), center_id, consent_to_share: undefined, referred_on: undefined };
  draft.continues = referral.referral_id;
  openDrafts.set("new", draft);
  return true;
}

/**
 * Start a new referral with the clinical part of an eligibility check.
 *
 * @returns {boolean} false if another new referral has unsaved entries
 */
export function startReferralFromCheck(clinical) {
  if (openDrafts.get("new")?.isDirty.value) return false;
  const draft = new Draft();
  draft.values.value = { ...draft.values.value, clinical };
  openDrafts.set("new", draft);
  return true;
}

/** Choose the center for the new referral, and open the form at the center step, or at the patient step if no patient is entered. */
export async function startReferralToCenter(centerId) {
  const draft = await loadDraft(null);
  const hasPatient = !!draft.get("/patient/family_name");
  draft.set("/center_id", centerId);
  navigate(hasPatient ? "#/new/center" : "#/new/patient");
}

/** Whether this draft is the draft of the current address. */
export const isDraftRoute = (draft, id) => openDrafts.get(id || "new") === draft;

/** After the first save, file the new referral under the id that the server gave it. */
export function renameDraft(draft) {
  if (openDrafts.get("new") !== draft || !draft.id) return;
  openDrafts.delete("new");
  openDrafts.set(draft.id, draft);
  // A reload, and the next sign-in, lead back to the draft at this step.
  const { view, id, step } = route.value;
  if (view === "form" && !id) replaceWith(buildFormHref(draft.id, step || "patient"));
}

/** Forget a draft that the server has, or that no one needs any more. */
export function closeDraft(draft) {
  for (const [key, open] of openDrafts) if (open === draft) openDrafts.delete(key);
}
