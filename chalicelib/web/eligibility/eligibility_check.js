// The potential-eligibility screen: a short form, and beside it what labels say of the answers.
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useRef } from "../platform/dom.js";
import { DraftChoice, DraftField, ErrorSummary, FieldGroup, YES_NO_OPTIONS } from "../platform/form_fields.js";
import { getAt, setAt } from "../platform/json_document.js";
import { DISEASES, FLAGS } from "../platform/labels.js";
import { buildFormHref, navigate } from "../platform/route.js";
import { announce, Icon, PageTitle, Problem, toFieldId } from "../platform/ui.js";
import { AGENTS, LABS } from "../referrals/clinical_labels.js";
import { startReferralFromScreen } from "../referrals/draft.js";
import { TherapyStep } from "../referrals/form_therapy.js";
import { toRequestBody } from "../referrals/referral_document.js";
import { screenPatient } from "./eligibility_api.js";
import { EligibilityResult } from "./eligibility_result.js";

const LINES = "/clinical/prior_lines";
const HISTOLOGIES = {
  LBCL: [
    ["DLBCL_NOS", "DLBCL, not otherwise specified"],
    ["DLBCL_TRANSFORMED", "DLBCL from an indolent lymphoma"],
    ["HIGH_GRADE", "High-grade B-cell lymphoma"],
    ["PMBCL", "Primary mediastinal"],
    ["FL_3B", "Follicular, grade 3B"],
    ["PRIMARY_CNS", "Primary CNS lymphoma"],
    ["OTHER", "Another"],
  ],
};
/** What is typed, and the last answer. It outlives the view; it ends with the session. */
class ScreenEntries {
  constructor() {
    this.values = signal(/** @type {any} */ ({}));
    this.errors = signal(/** @type {any[]} */ ([]));
    this.problem = signal(/** @type {any} */ (null));
    this.answer = signal(/** @type {any} */ (null));
    this.untreated = signal(false);
    this.stale = signal(false);
    this.busy = signal(false);
  }

  get(pointer) {
    return getAt(this.values.value, pointer) ?? "";
  }

  set(pointer, value) {
    this.values.value = setAt(this.values.value, pointer, value);
    this.stale.value = true;
    if (this.errors.value.length) this.errors.value = this.errors.value.filter((error) => error.pointer !== pointer);
  }

  /** As the API takes it: "not entered" is left out, and "no treatment so far" is an empty list. */
  get body() {
    const { age, planned_collection_on, doses = {} } = this.values.value;
    /** @type {any} */
    let body = { clinical: {}, ...toRequestBody(this.values.value) };
    const last = AGENTS.map(([agent]) => ({ agent, ...doses[agent] })).filter(
      ({ given, last_on }) => last_on || given === false,
    );
    if (last.length) body = setAt(body, "/clinical/last_doses", last);
    if (this.untreated.value && !body.clinical.prior_lines) body = setAt(body, LINES, []);
    if (age !== undefined && age !== "") body.age = Number(age);
    if (planned_collection_on) body.planned_collection_on = planned_collection_on;
    return body;
  }

  async run() {
    if (!this.get("/clinical/disease")) {
      this.errors.value = [{ pointer: "/clinical/disease", message: "Choose the disease." }];
      return;
    }
    this.busy.value = true;
    this.errors.value = [];
    this.problem.value = null;
    const screened = this.values.value;
    try {
      this.answer.value = await screenPatient(this.body);
      this.stale.value = this.values.value !== screened;
      announce("The answer is ready");
    } catch (refusal) {
      this.errors.value = refusal.errors ?? [];
      this.problem.value = refusal.errors?.length ? null : refusal;
    } finally {
      this.busy.value = false;
    }
  }
}

let entries = new ScreenEntries();
onSignOut(() => (entries = new ScreenEntries()));

const toNumberHandler = (draft, pointer) => (event) =>
  draft.set(pointer, event.target.value === "" ? "" : Number(event.target.value));

const NumberField = ({
  draft,
  pointer,
  ...rest
}) => html`<${DraftField} draft=${draft} pointer=${pointer} type="number" min="0" step="any"
  inputmode="decimal" onInput=${toNumberHandler(draft, pointer)} ...${rest} />`;

function DiseaseFields({ draft }) {
  const histologies = HISTOLOGIES[draft.get("/clinical/disease")];
  return html`<${FieldGroup} title="Patient and disease">
    <${NumberField} draft=${draft} pointer="/age" label="Age" step="1" inputmode="numeric" />
    <${DraftField} draft=${draft} pointer="/clinical/disease" label="Disease" options=${[["", "Choose the disease"], ...Object.entries(DISEASES)]} />
    ${histologies && html`<${DraftField} draft=${draft} pointer="/clinical/histology" label="Histology" options=${[["", "Not known"], ...histologies]} />`}
    <${DraftField} draft=${draft} pointer="/clinical/ecog" label="ECOG performance status" onInput=${toNumberHandler(draft, "/clinical/ecog")}
      options=${[["", "Not assessed"], ...["0", "1", "2", "3", "4"].map((grade) => [grade, grade])]} />
  <//>`;
}

function TherapyFields({ draft }) {
  const none = !draft.get(LINES).length;
  const toggle = () => {
    draft.untreated.value = !draft.untreated.value;
    draft.stale.value = true;
  };
  return html`<section class="stack">
    <h2>Lines of therapy</h2>
    ${
      none &&
      html`<div class="options"><label>
      <input type="checkbox" checked=${draft.untreated.value} onChange=${toggle} />No treatment so far
    </label></div>`
    }
    <${TherapyStep} draft=${draft} />
  </section>`;
}

function TransplantFields({ draft }) {
  const [candidate, because] = ["/clinical/hsct_eligible", "/clinical/no_transplant_because"].map((pointer) =>
    draft.get(pointer),
  );
  const pick = (answer) => {
    draft.set("/clinical/hsct_eligible", answer === "" ? "" : answer === "yes");
    draft.set("/clinical/no_transplant_because", ["", "yes"].includes(answer) ? "" : answer);
  };
  const value = candidate === "" ? "" : candidate ? "yes" : because;
  return html`<${FieldGroup} title="Transplant and lenalidomide">
    <${DraftChoice} draft=${draft} pointer="/clinical/hsct_eligible" label="Candidate for a stem cell transplant?" value=${value} onPick=${pick}
      options=${[["yes", "Yes"], ["age_or_comorbidity", "No: age or comorbidity"], ["other", "No: another reason"], ["", "Not known"]]} />
    <${DraftChoice} draft=${draft} pointer="/clinical/transplant/kind" label="Had a stem cell transplant?"
      options=${[["none", "No"], ["autologous", "Autologous"], ["allogeneic", "Allogeneic"], ["", "Not known"]]} />
    ${
      ["autologous", "allogeneic"].includes(draft.get("/clinical/transplant/kind")) &&
      html`<${DraftField} draft=${draft} pointer="/clinical/transplant/on" label="Day of the last transplant" type="date" />`
    }
    ${
      draft.get("/clinical/disease") === "MM" &&
      html`<${DraftChoice} draft=${draft} pointer="/clinical/lenalidomide_refractory" label="Refractory to lenalidomide?" options=${YES_NO_OPTIONS} />`
    }
  <//>`;
}

const DiscussFields = ({
  draft,
}) => html`<${FieldGroup} title="To discuss with the center" lead="None of these answers decides anything.">
  ${Object.entries(FLAGS).map(([flag, label]) => html`<${DraftChoice} draft=${draft} pointer="/clinical/flags/${flag}" label="${label}?" options=${YES_NO_OPTIONS} />`)}
  <details class="wide">
    <summary>Heart, kidney, liver and lymphocytes</summary>
    <div class="fields">
      ${LABS.map(([lab, label, unit]) => html`<${NumberField} draft=${draft} pointer="/clinical/labs/${lab}" label=${label} hint=${unit} optional />`)}
    </div>
  </details>
<//>`;

function CollectionFields({ draft }) {
  return html`<${FieldGroup} title="Before cells are collected" lead="Last doses, given or planned, against the day of collection.">
    <${DraftField} draft=${draft} pointer="/planned_collection_on" label="Planned day of collection" type="date" optional />
    ${AGENTS.map(
      ([agent, label]) => html`<div class="dose">
      <${DraftField} draft=${draft} pointer="/doses/${agent}/last_on" label="${label}: last dose" type="date" optional disabled=${draft.get(`/doses/${agent}/given`) === false} />
      <label class="small-text"><input type="checkbox" checked=${draft.get(`/doses/${agent}/given`) === false}
        onChange=${(event) => draft.set(`/doses/${agent}`, event.target.checked ? { given: false } : {})} />Never given</label>
    </div>`,
    )}
  <//>`;
}

/** Where the form shows what the API speaks of; doses are numbered as they were sent. */
function getStepOf(draft, pointer) {
  const dose = pointer.match(/^\/clinical\/last_doses\/?(\d*)/);
  if (!dose) return pointer === "/clinical/transplant" ? "/clinical/transplant/kind" : pointer;
  const agent = dose[1] === "" ? AGENTS[0][0] : draft.body.clinical.last_doses?.[dose[1]]?.agent;
  return `/doses/${agent}/last_on`;
}

function focusField(draft, pointer) {
  const place = getStepOf(draft, pointer);
  // A field that is not there is one of a list that is: its line, or the button that adds one.
  const field = [place, place.split("/").slice(0, 4).join("/"), LINES]
    .map((each) => document.getElementById(toFieldId(each)))
    .find(Boolean);
  field?.closest("details")?.setAttribute("open", "");
  field?.scrollIntoView({ block: "center" });
  field?.focus();
}

/** The answers as the clinical part of a new referral, with the version they were screened by. */
function startReferral(draft) {
  const { catalogue_version, screened_on } = draft.answer.value;
  const { clinical } = draft.body;
  if (startReferralFromScreen({ ...clinical, screened: { catalogue_version, screened_on } }))
    navigate(buildFormHref(null, "patient"));
  else announce("Another new referral is being written. Save or discard it first.");
}

export function EligibilityCheck() {
  const draft = entries;
  const resultBox = useRef(/** @type {HTMLElement | null} */ (null));
  const answer = draft.answer.value;
  useEffect(() => {
    if (answer && !draft.stale.value) resultBox.current?.focus();
  }, [answer]);
  const run = (event) => {
    event.preventDefault();
    draft.run();
  };
  const clear = () => {
    entries = new ScreenEntries();
    navigate("#/screen/new");
  };
  return html`<div class="title-row">
      <${PageTitle} page="Screen">Screen<//>
      <span class="spacer" />
      <button type="button" class="ghost-button" onClick=${clear}><${Icon} name="trash-2" />Start over</button>
    </div>
    <p class="lead">Compares what you enter with what labels say. Nothing is stored, and nothing is decided: leave out what you do not know.</p>
    <div class="eligibility-check">
      <form class="stack" onSubmit=${run} novalidate>
        ${
          draft.errors.value.length > 0 &&
          html`<${ErrorSummary} title="Please look at these again" errors=${draft.errors.value} onPick=${(pointer) => focusField(draft, pointer)} />`
        }
        <${DiseaseFields} draft=${draft} />
        <${TherapyFields} draft=${draft} />
        <${TransplantFields} draft=${draft} />
        <${DiscussFields} draft=${draft} />
        <${CollectionFields} draft=${draft} />
        ${draft.problem.value && html`<${Problem} problem=${draft.problem.value} retry=${() => draft.run()} />`}
        <p><button class="primary" aria-disabled=${draft.busy.value}><${Icon} name="search" />Compare with the labels</button></p>
      </form>
      <div class="stack" ref=${resultBox} tabindex="-1">
        ${answer && html`<${EligibilityResult} answer=${answer} stale=${draft.stale.value} onPick=${(pointer) => focusField(draft, pointer)} onRefer=${() => startReferral(draft)} />`}
        ${!answer && html`<div class="card small-text"><p>The answer appears here: one of three for each product, with the rule, what you entered, the source and its date.</p></div>`}
      </div>
    </div>`;
}
