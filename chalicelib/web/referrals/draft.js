// A referral being written: what the form holds, what the server has, and how one becomes
// the other without ever making two referrals or overwriting somebody else's change.
import { onSignOut } from "../identity/session.js";
import { computed, signal } from "../platform/dom.js";
import { ApiProblem } from "../platform/http.js";
import { IdempotentRequest } from "../platform/idempotent_request.js";
import { getAt, isSame, merge, setAt } from "../platform/json_document.js";
import { navigate } from "../platform/route.js";
import { getNowAfter } from "../platform/time.js";
import { listChanges, SECTIONS, toRequestBody } from "./referral_document.js";
import { changeReferral, createReferral, getReferral, sendEvent } from "./referrals_api.js";

const AUTOSAVE_DELAY_MS = 30_000;

// What a draft needs at least; the server asks for no less.
const NEEDED_FOR_DRAFT = [
  ["/patient/family_name", "Enter the patient's family name."],
  ["/patient/birth_date", "Enter the patient's date of birth."],
  ["/clinical/disease", "Choose the disease."],
  ["/referring_provider/name", "Enter the referring provider's name."],
];

function pickSections(referral) {
  const flat = { ...referral, center_id: referral.center?.center_id };
  return Object.fromEntries(SECTIONS.map((name) => [name, flat[name] ?? undefined]));
}

export class Draft {
  /** @param {any} [referral] as the API returned it @param {string | null} [etag] */
  constructor(referral = null, etag = null) {
    this.values = signal(referral ? pickSections(referral) : { urgency: "routine" });
    this.referral = signal(referral);
    /** The ended referral that a new one goes on from. */
    this.continues = referral?.continues ?? null;
    this.errors = signal(/** @type {any[]} */ ([]));
    this.problem = signal(/** @type {any} */ (null));
    this.savedAt = signal(/** @type {any} */ (null));
    this.busy = signal(false);
    this.serverChanges = signal(/** @type {any[]} */ ([]));
    this.base = signal(referral ? this.values.value : {});
    this.etag = etag;
    this.readAt = Date.now();
    this.creation = new IdempotentRequest(createReferral);
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
    if (this.errors.value.length) this.errors.value = this.errors.value.filter((error) => error.pointer !== pointer);
  }

  /** The first things without which there is nothing to save. */
  listMissing() {
    return NEEDED_FOR_DRAFT.filter(([pointer]) => !String(this.get(pointer)).trim()).map(([pointer, message]) => ({
      pointer,
      message,
    }));
  }

  /** Save what there is. Returns whether the server now has all of it. */
  async save() {
    const missing = this.id ? [] : this.listMissing();
    if (missing.length) return this.#showProblem({ errors: missing });
    return this.#run(() => this.#store());
  }

  /** Save, then send to the center. Returns whether it was sent. */
  async submit() {
    if (!(await this.save())) return false;
    const occurred_at = getNowAfter(this.referral.value.stage_since);
    return this.#run(async () => {
      const { status } = await this.sending.run({ type: "stage.changed", occurred_at, data: { stage: "submitted" } });
      if (status === "recorded")
        throw new ApiProblem(409, { detail: "It was not sent: something later is already known." });
    });
  }

  /** Take the server's newest, keep what was typed here since, and say what is news. */
  async catchUp() {
    const { data, etag } = await getReferral(this.id);
    const [before, mine] = [this.base.value, this.values.value];
    /** @type {string[]} */
    const clashes = [];
    this.#adopt(data, etag, before, clashes);
    // What the server has just as this page has it is no news: an answer was lost, no more.
    this.serverChanges.value = Object.keys(listChanges(this.base.value, before))
      .filter((name) => !isSame(this.base.value[name], mine[name]))
      .map((name) => ({ name, clashes: clashes.filter((pointer) => pointer.startsWith(`/${name}`)) }));
    return this.serverChanges.value.length > 0;
  }

  async #run(work) {
    if (this.busy.value) return false;
    this.busy.value = true;
    this.problem.value = null;
    this.errors.value = [];
    try {
      await work().catch(async (refusal) => {
        if (refusal.status !== 412) throw refusal;
        if (await this.catchUp()) throw refusal;
        await work();
      });
      return true;
    } catch (refusal) {
      return this.#showProblem(refusal);
    } finally {
      this.busy.value = false;
    }
  }

  async #store() {
    this.serverChanges.value = [];
    if (!this.id) {
      // An earlier try whose answer was lost is repeated as it was; what was typed since follows below.
      const sent = this.creation.unresolved?.body ?? {
        ...toRequestBody(this.values.value),
        ...(this.continues && { continues: this.continues }),
      };
      const { data, etag } = await this.creation.run(sent);
      this.#adopt(data, etag, sent);
    }
    const body = listChanges(this.values.value, this.base.value);
    if (Object.keys(body).length) {
      const sent = { ...this.base.value, ...this.values.value };
      const { data, etag } = await changeReferral(this.id, body, /** @type {string} */ (this.etag));
      this.#adopt(data, etag, sent);
    }
    this.savedAt.value = new Date().toISOString();
  }

  /** The server has `referral` now; `known` is what this page thought it would have. */
  #adopt(referral, etag, known, clashes = []) {
    const theirs = pickSections(referral);
    this.values.value = merge(known, this.values.value, theirs, clashes);
    this.base.value = theirs;
    this.referral.value = referral;
    this.etag = etag;
    this.readAt = Date.now();
  }

  #showProblem(refusal) {
    this.errors.value = refusal.errors ?? [];
    // A 412 that brought news is told by the news, field errors by the summary.
    const isExplained = refusal.errors?.length || this.serverChanges.value.length;
    this.problem.value = isExplained ? null : refusal;
    return false;
  }
}

// Drafts outlive their view, so that looking something up elsewhere loses nothing typed.
const openDrafts = new Map();
onSignOut(() => openDrafts.clear());

addEventListener("beforeunload", (event) => {
  if ([...openDrafts.values()].some((draft) => draft.isDirty.value)) event.preventDefault();
});

/** The draft that is being written under this id, or the one new referral. */
export async function loadDraft(id) {
  const key = id || "new";
  const known = openDrafts.get(key);
  if (!known) {
    const loaded = id ? await getReferral(id) : null;
    openDrafts.set(key, new Draft(loaded?.data, loaded?.etag));
  } else if (id && !known.isDirty.value && Date.now() - known.readAt > AUTOSAVE_DELAY_MS) {
    await known.catchUp();
  }
  return openDrafts.get(key);
}

/**
 * Begin a new referral from an ended one. Consent was given for that one and is asked for anew.
 *
 * @returns {boolean} false while another new one is being written
 */
export function startReferralFromEnded(referral) {
  const known = openDrafts.get("new");
  if (known?.continues === referral.referral_id) return true;
  if (known?.isDirty.value) return false;
  const draft = new Draft();
  const center_id = referral.suggested_center_id || referral.center?.center_id;
  draft.values.value = { ...pickSections(referral), center_id, consent_to_share: undefined };
  draft.continues = referral.referral_id;
  openDrafts.set("new", draft);
  return true;
}

/**
 * Begin a new referral with the clinical part that a screen looked at.
 *
 * @returns {boolean} false while another new one is being written
 */
export function startReferralFromScreen(clinical) {
  if (openDrafts.get("new")?.isDirty.value) return false;
  const draft = new Draft();
  draft.values.value = { ...draft.values.value, clinical };
  openDrafts.set("new", draft);
  return true;
}

/** Choose the center for the new referral, and go to the form: to the center's step if a patient is entered. */
export async function startReferralToCenter(centerId) {
  const draft = await loadDraft(null);
  const isWritten = !!draft.get("/patient/family_name");
  draft.set("/center_id", centerId);
  navigate(isWritten ? "#/new/center" : "#/new/patient");
}

/** Whether this draft is the one that the address speaks of. */
export const isDraftRoute = (draft, id) => openDrafts.get(id || "new") === draft;

/** From now on a new referral goes by the id that the server gave it. */
export function renameDraft(draft) {
  if (openDrafts.get("new") !== draft || !draft.id) return;
  openDrafts.delete("new");
  openDrafts.set(draft.id, draft);
}

export function discardDraft(draft) {
  for (const [key, each] of openDrafts) if (each === draft) openDrafts.delete(key);
}
