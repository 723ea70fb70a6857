// The eligibility check: a short form, and a comparison of its answers with label criteria.
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useRef } from "../platform/dom.js";
import { DraftChoice, DraftField, ErrorSummary, FieldGroup, YES_NO_OPTIONS } from "../platform/form_fields.js";
import { getAt, setAt } from "../platform/json_document.js";
import { DISEASES, FLAGS } from "../platform/labels.js";
import { buildFormHref, navigate } from "../platform/route.js";
import { announce, Icon, PageTitle, Problem, toFieldId } from "../platform/ui.js";
import { AGENTS, HISTOLOGIES, LABS } from "../referrals/clinical_labels.js";
import { startReferralFromCheck } from "../referrals/draft.js";
import { TherapyStep } from "../referrals/form_therapy.js";
import { toRequestBody } from "../referrals/referral_document.js";
import { screenPatient } from "./eligibility_api.js";
import { EligibilityResult } from "./eligibility_result.js";

const LINES = "/clinical/prior_lines";
/** The entries of the form and the last result. They stay while the user visits other pages, until sign-out. */
class EligibilityEntries {
  constructor() {
    this.values = signal(/** @type {any} */ ({}));
    this.errors = signal(/** @type {any[]} */ ([]));
    this.problem = signal(/** @type {any} */ (null));
    this.result = signal(/** @type {any} */ (null));
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

  /** The request body: without empty fields. "No prior treatment" is an empty list. */
  get body() {
    const { age, planned_collection_on, doses = {} } = this.values.value;
    /** @type {any} */
    let body = { clinical: {}, ...toRequestBody(this.values.value) };
    const lastDoses = AGENTS.map(([agent]) => ({ agent, ...doses[agent] })).filter(
      ({ given, last_on }) => last_on || given === false,
    );
    if (lastDoses.length) body = setAt(body, "/clinical/last_doses", lastDoses);
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
    const checked = this.values.value;
    try {
      this.result.value = await screenPatient(this.body);
      this.stale.value = this.values.value !== checked;
      announce("Results are ready");
    } catch (problem) {
      this.errors.value = problem.errors ?? [];
      this.problem.value = problem.errors?.length ? null : problem;
    } finally {
      this.busy.value = false;
    }
  }
}

let entries = new EligibilityEntries();
onSignOut(() => (entries = new EligibilityEntries()));

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
    ${histologies && html`<${DraftField} draft=${draft} pointer="/clinical/histology" label="Histology" options=${[["", "Unknown"], ...histologies]} />`}
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
      <input type="checkbox" checked=${draft.untreated.value} onChange=${toggle} />No prior treatment
    </label></div>`
    }
    <${TherapyStep} draft=${draft} />
  </section>`;
}

function TransplantFields({ draft }) {
  const [candidate, reason] = ["/clinical/hsct_eligible", "/clinical/no_transplant_because"].map((pointer) =>
    draft.get(pointer),
  );
  const pick = (choice) => {
    draft.set("/clinical/hsct_eligible", choice === "" ? "" : choice === "yes");
    draft.set("/clinical/no_transplant_because", ["", "yes"].includes(choice) ? "" : choice);
  };
  const value = candidate === "" ? "" : candidate ? "yes" : reason;
  return html`<${FieldGroup} title="Transplant and lenalidomide">
    <${DraftChoice} draft=${draft} pointer="/clinical/hsct_eligible" label="Is the patient a candidate for stem cell transplant?" value=${value} onPick=${pick}
      options=${[["yes", "Yes"], ["age_or_comorbidity", "No, because of age or comorbidity"], ["other", "No, for another reason"], ["", "Unknown"]]} />
    <${DraftChoice} draft=${draft} pointer="/clinical/transplant/kind" label="Prior stem cell transplant?"
      options=${[["none", "No"], ["autologous", "Autologous"], ["allogeneic", "Allogeneic"], ["", "Unknown"]]} />
    ${
      ["autologous", "allogeneic"].includes(draft.get("/clinical/transplant/kind")) &&
      html`<${DraftField} draft=${draft} pointer="/clinical/transplant/on" label="Date of most recent transplant" type="date" />`
    }
    ${
      draft.get("/clinical/disease") === "MM" &&
      html`<${DraftChoice} draft=${draft} pointer="/clinical/lenalidomide_refractory" label="Refractory to lenalidomide?" options=${YES_NO_OPTIONS} />`
    }
  <//>`;
}

const DiscussFields = ({
  draft,
}) => html`<${FieldGroup} title="Discuss with the center" lead="No answer here rules a patient in or out.">
  ${Object.entries(FLAGS).map(([flag, label]) => html`<${DraftChoice} draft=${draft} pointer="/clinical/flags/${flag}" label="${label}?" options=${YES_NO_OPTIONS} />`)}
  <details class="wide">
    <summary>Heart, kidney, and liver function, and lymphocyte count</summary>
    <div class="fields">
      ${LABS.map(([lab, label, unit]) => html`<${NumberField} draft=${draft} pointer="/clinical/labs/${lab}" label=${label} hint=${unit} optional />`)}
    </div>
  </details>
<//>`;

function CollectionFields({ draft }) {
  return html`<${FieldGroup} title="Before leukapheresis" lead="Compares last doses, given or planned, with the planned leukapheresis date.">
    <${DraftField} draft=${draft} pointer="/planned_collection_on" label="Planned leukapheresis date" type="date" optional />
    ${AGENTS.map(
      ([agent, label]) => html`<div class="dose">
      <${DraftField} draft=${draft} pointer="/doses/${agent}/last_on" label="${label}: date of last dose" type="date" optional disabled=${draft.get(`/doses/${agent}/given`) === false} />
      <label class="small-text"><input type="checkbox" checked=${draft.get(`/doses/${agent}/given`) === false}
        onChange=${(event) => draft.set(`/doses/${agent}`, event.target.checked ? { given: false } : {})} />Never given</label>
    </div>`,
    )}
  <//>`;
}

/** The form's pointer for a pointer of the API, which numbers the doses in the order of the request. */
function toFormPointer(draft, pointer) {
  const dose = pointer.match(/^\/clinical\/last_doses\/?(\d*)/);
  if (!dose) return pointer === "/clinical/transplant" ? "/clinical/transplant/kind" : pointer;
  const agent = dose[1] === "" ? AGENTS[0][0] : draft.body.clinical.last_doses?.[dose[1]]?.agent;
  return `/doses/${agent}/last_on`;
}

function focusField(draft, pointer) {
  const target = toFormPointer(draft, pointer);
  // A field of a list may not be on the page. Then use its line, or the button that adds a line.
  const field = [target, target.split("/").slice(0, 4).join("/"), LINES]
    .map((candidate) => document.getElementById(toFieldId(candidate)))
    .find(Boolean);
  field?.closest("details")?.setAttribute("open", "");
  field?.scrollIntoView({ block: "center" });
  field?.focus();
}

/** Start a new referral with the answers as its clinical part, and with the catalog version of the check. */
function startReferral(draft) {
  const { catalogue_version, screened_on } = draft.result.value;
  const { clinical } = draft.body;
  if (startReferralFromCheck({ ...clinical, screened: { catalogue_version, screened_on } }))
    navigate(buildFormHref(null, "patient"));
  else announce("You have an unsaved new referral. Save or discard it before you start another.");
}

export function EligibilityCheck() {
  const draft = entries;
  const resultBox = useRef(/** @type {HTMLElement | null} */ (null));
  const result = draft.result.value;
  useEffect(() => {
    if (result && !draft.stale.value) resultBox.current?.focus();
  }, [result]);
  const run = (event) => {
    event.preventDefault();
    draft.run();
  };
  const clear = () => {
    entries = new EligibilityEntries();
    navigate("#/screen/new");
  };
  return html`<div class="title-row">
      <${PageTitle} page="Eligibility check">Eligibility check<//>
      <span class="spacer" />
      <button type="button" class="ghost-button" onClick=${clear}><${Icon} name="trash-2" />Clear all</button>
    </div>
    <p class="lead">Compares your entries with US label criteria. It does not decide eligibility, and nothing is saved. Leave blank what you do not know.</p>
    <div class="eligibility-check">
      <form class="stack" onSubmit=${run} novalidate>
        ${
          draft.errors.value.length > 0 &&
          html`<${ErrorSummary} errors=${draft.errors.value} onPick=${(pointer) => focusField(draft, pointer)} />`
        }
        <${DiseaseFields} draft=${draft} />
        <${TherapyFields} draft=${draft} />
        <${TransplantFields} draft=${draft} />
        <${DiscussFields} draft=${draft} />
        <${CollectionFields} draft=${draft} />
        ${draft.problem.value && html`<${Problem} problem=${draft.problem.value} retry=${() => draft.run()} />`}
        <p><button class="primary" aria-disabled=${draft.busy.value}><${Icon} name="search" />Compare with label criteria</button></p>
      </form>
      <div class="stack" ref=${resultBox} tabindex="-1">
        ${result && html`<${EligibilityResult} result=${result} stale=${draft.stale.value} onPick=${(pointer) => focusField(draft, pointer)} onRefer=${() => startReferral(draft)} />`}
        ${!result && html`<div class="card small-text"><p>Results appear here. For each product you see whether label criteria appear met, are not met as entered, or need more information, with the rule, your entries, and the source.</p></div>`}
      </div>
    </div>`;
}
