// Writing a referral, step by step. What is typed stays in memory while one looks elsewhere,
// and is saved as a draft at every step once there is enough for a draft.
import { ErrorSummary } from "./answers.js";
import { html, signal, useEffect } from "./dom.js";
import { draftOf, forget, isAt, rekey } from "./draft.js";
import { CenterStep } from "./form_center.js";
import { CoverageStep, DiagnosisStep, PatientStep, ProviderStep } from "./form_steps.js";
import { TherapyStep } from "./form_therapy.js";
import { ReviewStep } from "./form_review.js";
import { go, replaceWith, toForm, toReferral } from "./route.js";
import { Packet } from "./sections.js";
import { zone } from "./state.js";
import { stepOf, STEPS } from "./steps.js";
import { timeIn } from "./time.js";
import { announce, fieldId, Icon, Loading, Problem, Title, useLoad } from "./ui.js";
import { fullName, word } from "./words.js";

const VIEWS = {
  patient: PatientStep,
  diagnosis: DiagnosisStep,
  therapy: TherapyStep,
  center: CenterStep,
  coverage: CoverageStep,
  provider: ProviderStep,
  review: ReviewStep,
};

// The field to go to as soon as its step is on the screen.
const wanted = signal(null);

function useWanted(step) {
  useEffect(() => {
    if (!wanted.value || stepOf(wanted.value) !== step) return;
    const field = document.getElementById(fieldId(wanted.value));
    wanted.value = null;
    field?.focus();
    field?.scrollIntoView({ block: "center" });
  }, [step, wanted.value]);
}

function StepList({ draft, step }) {
  const missing = new Set(draft.referral.value?.packet?.missing.map((item) => stepOf(item.pointer)));
  return html`<ol class="steps" aria-label="Steps">
    ${STEPS.map(
      ({ key, label }, index) => html`<li>
        <a href=${toForm(draft.id, key)} aria-current=${key === step ? "step" : undefined}>
          <span class="num">${index + 1}</span><span class="name">${label}</span>
          ${missing.has(key) && html`<span class="todo"><span class="unseen">, something is missing</span></span>`}
        </a>
      </li>`,
    )}
  </ol>`;
}

function Status({ draft }) {
  if (draft.busy.value) return "Saving …";
  if (!draft.isDirty.value && draft.id) {
    return draft.savedAt.value ? `Saved ${timeIn(draft.savedAt.value, zone())}` : "Nothing changed yet";
  }
  const lacking = draft.id ? [] : draft.lacking();
  if (!lacking.length) return "Not saved yet";
  return "Not saved yet. A draft needs family name, date of birth, disease and referring provider.";
}

/** What somebody else changed while this was being written. */
function News({ draft }) {
  const news = draft.news.value;
  if (!news.length) return null;
  const lost = news.flatMap(({ clashes }) => clashes);
  return html`<div class="notice warn" role="alert">
    <${Icon} name="history" />
    <div>
      <p>Somebody else saved this referral meanwhile. It was reloaded; what you typed elsewhere is kept. Changed:
        ${" "}${news.map(({ name }) => word(name).toLowerCase()).join(", ")}.</p>
      ${lost.length > 0 &&
      html`<p>Both of you changed ${lost.map((pointer) => word(pointer.slice(1).replaceAll("/", " "))).join(", ")}: theirs stands, please check.</p>`}
      <p>Your changes are not saved yet.</p>
    </div>
  </div>`;
}

function Frame({ draft, step }) {
  useWanted(step);
  const index = Math.max(0, STEPS.findIndex(({ key }) => key === step));
  const { key, label } = STEPS[index];
  const Step = VIEWS[key];
  const referral = draft.referral.value;

  const pick = (pointer) => {
    wanted.value = pointer;
    if (stepOf(pointer) !== key) go(toForm(draft.id, stepOf(pointer)));
  };
  const save = async () => {
    const saved = await draft.save();
    rekey(draft);
    if (draft.id) replaceWith(toForm(draft.id, key));
    if (saved) announce("Draft saved");
    return saved;
  };
  const next = async (event) => {
    event.preventDefault();
    const unready = !draft.id && draft.lacking().length > 0;
    if (unready || (!draft.isDirty.value && draft.id) || (await save())) go(toForm(draft.id, STEPS[index + 1].key));
  };
  const send = async () => {
    const sent = await draft.submit();
    rekey(draft);
    if (draft.id && !sent) replaceWith(toForm(draft.id, key));
    if (!sent) return;
    forget(draft);
    announce("The referral was sent");
    go(toReferral(draft.id));
  };
  const discard = () => {
    forget(draft);
    go("#/");
  };

  return html`<p class="back">
      <a href=${draft.id ? toReferral(draft.id) : "#/"}><${Icon} name="arrow-left" />${draft.id ? "The referral" : "Worklist"}</a>
    </p>
    <div class="head">
      <${Title} page="Referral form, ${label}">${draft.id ? fullName(referral.patient) : "New referral"}
        <span class="fine">Step ${index + 1} of ${STEPS.length}: ${label}</span><//>
      <span class="grow" />
      <p class="fine num" role="status"><${Status} draft=${draft} /></p>
    </div>
    <div class="form-grid">
      <div class="beside">
        <${StepList} draft=${draft} step=${key} />
        ${referral && html`<${Packet} packet=${referral.packet} onPick=${pick} />`}
      </div>
      <form onSubmit=${next} class="stack" novalidate>
        ${draft.continues && !draft.id &&
        html`<p class="notice">This new referral goes on from an earlier one. Look through every step; consent is asked for anew.</p>`}
        <${News} draft=${draft} />
        ${draft.errors.value.length > 0 &&
        html`<${ErrorSummary} title="Please look at these again" errors=${draft.errors.value} onPick=${pick} />`}
        ${draft.problem.value && html`<${Problem} problem=${draft.problem.value} retry=${save} />`}
        <${Step} draft=${draft} pick=${pick} send=${send} />
        <div class="buttons">
          ${index > 0 && html`<a class="button" href=${toForm(draft.id, STEPS[index - 1].key)}>Back</a>`}
          ${key !== "review" && html`<button class="primary" aria-disabled=${draft.busy.value}>Next<${Icon} name="chevron-right" /></button>`}
          <span class="grow" />
          ${!draft.id && draft.isDirty.value && html`<button type="button" class="quiet" onClick=${discard}>Discard</button>`}
          <button type="button" onClick=${save} aria-disabled=${draft.busy.value}>Save draft</button>
        </div>
      </form>
    </div>`;
}

export function FormView({ id, step }) {
  const { data: draft, problem, reload } = useLoad(() => draftOf(id), [id]);
  if (problem) return html`<${Title} page="Referral form">Referral<//><${Problem} problem=${problem} retry=${reload} />`;
  if (!draft || !isAt(draft, id)) return html`<${Loading} what="the form" />`;
  return html`<${Frame} draft=${draft} step=${step} />`;
}
