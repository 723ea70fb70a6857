// The referral form, step by step. A draft is saved while the user types, from the first field. What
// is not saved stays in memory while the user visits other pages.
import { getTimeZone } from "../identity/member.js";
import { html, signal, useEffect, useRef, useState } from "../platform/dom.js";
import { ErrorSummary } from "../platform/form_fields.js";
import { formatFieldName, formatFullName, getLabel } from "../platform/labels.js";
import { buildFormHref, buildReferralHref, navigate } from "../platform/route.js";
import { formatTime } from "../platform/time.js";
import { announce, Dialog, Icon, Loading, PageTitle, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { discardDraft } from "./discard.js";
import { closeDraft, isDraftRoute, loadDraft, renameDraft } from "./draft.js";
import { CenterStep } from "./form_center.js";
import { ReviewStep } from "./form_review.js";
import { findStep, STEPS } from "./form_step_list.js";
import { CoverageStep, DiagnosisStep, PatientStep, ProviderStep } from "./form_steps.js";
import { TherapyStep } from "./form_therapy.js";
import { clearDirectory, useOwnProvider } from "./practice_directory.js";
import { Packet } from "./referral_sections.js";

const VIEWS = {
  patient: PatientStep,
  diagnosis: DiagnosisStep,
  therapy: TherapyStep,
  center: CenterStep,
  coverage: CoverageStep,
  provider: ProviderStep,
  review: ReviewStep,
};

// The field to focus when its step is on the page.
const fieldToFocus = signal(/** @type {any} */ (null));

function useFieldFocus(step) {
  useEffect(() => {
    if (!fieldToFocus.value || findStep(fieldToFocus.value) !== step) return;
    const field = document.getElementById(toFieldId(fieldToFocus.value));
    fieldToFocus.value = null;
    field?.focus();
    field?.scrollIntoView({ block: "center" });
  }, [step, fieldToFocus.value]);
}

function StepList({ draft, step }) {
  const missing = new Set(draft.referral.value?.packet?.missing.map((item) => findStep(item.pointer)));
  return html`<ol class="steps" aria-label="Steps">
    ${STEPS.map(
      ({ key, label }, index) => html`<li>
        <a href=${buildFormHref(draft.id, key)} aria-current=${key === step ? "step" : undefined}>
          <span class="tabular-numbers">${index + 1}</span><span class="name">${label}</span>
          ${missing.has(key) && html`<span class="incomplete-dot"><span class="visually-hidden">, incomplete</span></span>`}
        </a>
      </li>`,
    )}
  </ol>`;
}

const PAUSE_MS = 2000;

/** Save a draft when the user pauses, and when the user leaves the form. */
function useAutosave(draft) {
  const values = draft.values.value;
  const first = useRef(values);
  useEffect(() => {
    if (values === first.current) return;
    const timer = setTimeout(() => draft.saveWhileTyping(), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [values]);
  // An untouched new referral is not saved, even if it starts with the entries of an earlier one.
  useEffect(() => () => void (draft.values.value !== first.current && draft.saveWhileTyping()), [draft]);
}

const DISCARD_UNSAVED = "Your entries on every step will be lost. No center has seen them.";
const DISCARD_SAVED =
  "The draft moves to the closed referrals of your practice as “Withdrawn.” Your practice is notified and can reopen it. Entries that are not saved yet will be lost. No center sees the draft or hears of it.";

/** Ask before entries are lost. The dialog stays open until the server has no draft any more. */
function DiscardButton({ draft }) {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const close = () => {
    setAsking(false);
    setProblem(null);
  };
  const discard = async () => {
    setProblem(null);
    try {
      if (!(await discardDraft(draft))) return;
      announce("Referral discarded");
      navigate("#/");
    } catch (failure) {
      setProblem(failure);
    }
  };
  return html`<button type="button" class="ghost-button" onClick=${() => setAsking(true)}>Discard referral</button>
    ${
      asking &&
      html`<${Dialog} title="Discard this referral?" role="alertdialog" onClose=${close}>
      <div class="stack">
        <p>${draft.id ? DISCARD_SAVED : DISCARD_UNSAVED}</p>
        ${
          problem &&
          html`<${Problem} problem=${problem}>${problem.outcomeUnknown ? "We could not confirm that this was discarded. Your entries are still here. Check your connection, then try again." : null}<//>`
        }
        <div class="buttons">
          <button type="button" onClick=${discard} aria-disabled=${draft.busy.value}>${draft.busy.value ? "Discarding…" : "Discard"}</button>
          <button type="button" onClick=${close} autofocus>Keep editing</button>
        </div>
      </div>
    <//>`
    }`;
}

const listFieldNames = (errors) => errors.map(({ pointer }) => formatFieldName(pointer)).join(", ");

function SaveStatus({ draft }) {
  if (draft.isDiscarded) return "Discarding…";
  if (draft.busy.value || draft.autosave.value) return "Saving…";
  const { refused } = draft;
  if (refused.value && draft.isDirty.value) {
    const { errors, message } = refused.value;
    if (!errors?.length) return `Not saved. ${message} Your entries stay on this page.`;
    return `Check this before you leave, because it is not saved yet: ${listFieldNames(errors)}.`;
  }
  if (!draft.isDirty.value && draft.id) {
    const saved = draft.savedAt.value
      ? `Saved ${formatTime(draft.savedAt.value, getTimeZone())}`
      : "No changes to save";
    const refusals = draft.refusals.value;
    return refusals.length ? `${saved}. Correct before you submit: ${listFieldNames(refusals)}.` : saved;
  }
  return draft.isDirty.value ? "Not saved" : "Nothing entered";
}

/** What someone else changed while the user was editing. */
function ServerChanges({ draft }) {
  const changes = draft.serverChanges.value;
  if (!changes.length) return null;
  const conflicts = changes.flatMap((change) => change.conflicts);
  return html`<div class="banner is-warning" role="alert">
    <${Icon} name="history" />
    <div>
      <p>Someone else saved changes to this referral while you were editing. We loaded their changes and kept yours in the other fields. Changed:
        ${" "}${changes.map(({ name }) => getLabel(name).toLowerCase()).join(", ")}.</p>
      ${
        conflicts.length > 0 &&
        html`<p>You both changed ${conflicts.map(formatFieldName).join(", ")}. Their version is shown. Check it before you save.</p>`
      }
      <p>Your changes are not saved.</p>
    </div>
  </div>`;
}

function FormFrame({ draft, step }) {
  useFieldFocus(step);
  useAutosave(draft);
  useOwnProvider(draft);
  // What was refused before a reload, or on another computer, gets its error again.
  useEffect(() => void draft.checkUnfinished(), [draft]);
  // On a phone the packet is above the fields, so it must not appear while the user types.
  const [showsPacket, setShowsPacket] = useState(!!draft.id);
  useEffect(() => setShowsPacket(!!draft.id), [step]);
  const index = Math.max(
    0,
    STEPS.findIndex(({ key }) => key === step),
  );
  const { key, label } = STEPS[index];
  const Step = VIEWS[key];
  const referral = draft.referral.value;
  const canDiscard = referral ? draft.savesWhileTyping && referral.phase !== "closed" : draft.isDirty.value;

  const pick = (pointer) => {
    fieldToFocus.value = pointer;
    if (findStep(pointer) !== key) navigate(buildFormHref(draft.id, findStep(pointer)));
  };
  const save = async () => {
    const saved = await draft.save();
    // The other fields are saved even if one is not valid.
    if (!saved && draft.errors.value.length) await draft.saveWhileTyping();
    renameDraft(draft);
    setShowsPacket(!!draft.id);
    if (saved) announce(draft.savesWhileTyping ? "Draft saved" : "Changes saved");
    return saved;
  };
  const next = async (event) => {
    event.preventDefault();
    // The server checks the fields. Those of this step must be right before the user leaves it.
    if ((draft.isDirty.value || draft.unfinished.length) && !(await save())) {
      const isHere = ({ pointer }) => findStep(pointer) === key;
      if (!draft.errors.value.length || draft.errors.value.some(isHere)) return;
    }
    navigate(buildFormHref(draft.id, STEPS[index + 1].key));
  };
  const submit = async () => {
    const submitted = await draft.submit();
    renameDraft(draft);
    if (!submitted) return;
    closeDraft(draft);
    clearDirectory();
    const center = draft.referral.value.center?.name;
    announce(center ? `Referral submitted to ${center}` : "Referral submitted");
    navigate(buildReferralHref(draft.id));
  };

  return html`<p class="back-link">
      <a href=${draft.id ? buildReferralHref(draft.id) : "#/"}><${Icon} name="arrow-left" />${draft.id ? "Back to referral" : "Back to worklist"}</a>
    </p>
    <div class="title-row">
      <${PageTitle} page="Referral form: ${label}">${draft.id ? formatFullName(referral.patient) : "New referral"}
        <span class="small-text">Step ${index + 1} of ${STEPS.length}: ${label}</span><//>
      <span class="spacer" />
      <p class="small-text tabular-numbers" role="status"><${SaveStatus} draft=${draft} /></p>
    </div>
    <div class="form-grid">
      <div class="side-column">
        <${StepList} draft=${draft} step=${key} />
        ${referral && showsPacket && html`<${Packet} packet=${referral.packet} onPick=${pick} />`}
      </div>
      <form onSubmit=${next} class="stack" novalidate>
        ${
          draft.continues &&
          !draft.id &&
          html`<p class="banner">This referral is based on an earlier one. Review every step. You need to record consent again.</p>`
        }
        <${ServerChanges} draft=${draft} />
        ${draft.errors.value.length > 0 && html`<${ErrorSummary} errors=${draft.errors.value} onPick=${pick} />`}
        ${draft.problem.value && html`<${Problem} problem=${draft.problem.value} retry=${save} />`}
        <${Step} draft=${draft} pick=${pick} submit=${submit} />
        <div class="buttons">
          ${index > 0 && html`<a class="button" href=${buildFormHref(draft.id, STEPS[index - 1].key)}>Back</a>`}
          ${key !== "review" && html`<button class="primary" aria-disabled=${draft.busy.value}>Next<${Icon} name="chevron-right" /></button>`}
          <span class="spacer" />
          ${canDiscard && html`<${DiscardButton} draft=${draft} />`}
          <button type="button" onClick=${save} aria-disabled=${draft.busy.value}>${draft.savesWhileTyping ? "Save draft" : "Save changes"}</button>
        </div>
      </form>
    </div>`;
}

export function FormView({ id, step }) {
  const { data: draft, problem, reload } = useLoad(() => loadDraft(id), [id]);
  if (problem)
    return html`<${PageTitle} page="Referral form">Referral form<//><${Problem} problem=${problem} retry=${reload} />`;
  if (!draft || !isDraftRoute(draft, id)) return html`<${Loading} what="the form" />`;
  return html`<${FormFrame} draft=${draft} step=${step} />`;
}
