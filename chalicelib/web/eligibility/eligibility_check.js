// The eligibility check: a short form, and a comparison of its answers with label criteria.
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useRef } from "../platform/dom.js";
import { DraftChoice, DraftField, ErrorSummary, FieldGroup, YES_NO_OPTIONS } from "../platform/form_fields.js";
import { FLAGS, formatCount } from "../platform/labels.js";
import { buildFormHref, navigate, replaceWith } from "../platform/route.js";
import { formatDate } from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, Problem, toFieldId } from "../platform/ui.js";
import { AGENTS, LABS } from "../referrals/clinical_labels.js";
import { startReferralFromCheck } from "../referrals/draft.js";
import { TherapyStep } from "../referrals/form_therapy.js";
import { DiseaseAndHistology, LastImaging } from "../referrals/histology_field.js";
import { takeChartEntries } from "./eligibility_api.js";
import { EligibilityEntries, LINES, summarize } from "./eligibility_entries.js";
import { EligibilityResult } from "./eligibility_result.js";

let entries = new EligibilityEntries();
/** Why the link of a card brought nothing. */
const chartProblem = signal(/** @type {any} */ (null));
/** Forget everything that was entered, and what was asked with it. */
function forget() {
  entries.stop();
  chartProblem.value = null;
  entries = new EligibilityEntries();
}
onSignOut(forget);

const toNumberHandler = (draft, pointer) => (event) =>
  draft.set(pointer, event.target.value === "" ? "" : Number(event.target.value));

const NumberField = ({
  draft,
  pointer,
  ...rest
}) => html`<${DraftField} draft=${draft} pointer=${pointer} type="number" min="0" step="any"
  inputmode="decimal" onInput=${toNumberHandler(draft, pointer)} ...${rest} />`;

const DiseaseFields = ({ draft }) =>
  html`<${FieldGroup} title="Patient and disease">
    <${NumberField} draft=${draft} pointer="/age" label="Age" step="1" inputmode="numeric" />
    <${DiseaseAndHistology} draft=${draft} />
    <${DraftField} draft=${draft} pointer="/clinical/ecog" label="ECOG performance status" onInput=${toNumberHandler(draft, "/clinical/ecog")}
      options=${[["", "Not assessed"], ...["0", "1", "2", "3", "4"].map((grade) => [grade, grade])]} />
    <${LastImaging} draft=${draft} />
  <//>`;

const formatCourse = ({ name, started_on, ended_on }) => {
  const days = [...new Set([started_on, ended_on])].filter(Boolean).map(formatDate);
  return days.length ? `${name}, ${days.join(" to ")}` : name;
};

/** The drugs of a chart. A record does not say which belong to one line, so the user does. */
function Courses({ draft }) {
  const courses = draft.courses.value;
  if (!courses.length) return null;
  const count = (draft.get(LINES) || []).length;
  const options = [...Array(count + 1).keys()].map((index) => [
    index,
    index < count ? `Line ${index + 1}` : `New line ${index + 1}`,
  ]);
  return html`<div class="card">
    <p><strong>From the chart, not yet in a line.</strong> Results count no line until you assign these drugs. Dates of orders can differ from dates of doses.</p>
    <ul>${courses.map(
      (course) => html`<li key=${course.name}>
      <label>${formatCourse(course)}
        <select onChange=${(event) => event.target.value !== "" && draft.assign(course, Number(event.target.value))}>
          <option value="">Not in a line</option>
          ${options.map(([index, label]) => html`<option value=${index}>${label}</option>`)}
        </select>
      </label></li>`,
    )}</ul>
  </div>`;
}

function TherapyFields({ draft }) {
  const none = !draft.get(LINES).length;
  const toggle = () => draft.setUntreated(!draft.untreated.value);
  return html`<section class="stack">
    <h2>Lines of therapy</h2>
    ${
      none &&
      html`<div class="options"><label>
      <input type="checkbox" checked=${draft.untreated.value} onChange=${toggle} />No prior treatment
    </label></div>`
    }
    <${Courses} draft=${draft} />
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

const COMMON_AGENTS = 3;

const Dose = ({ draft, agent, label }) => html`<div class="dose">
  <${DraftField} draft=${draft} pointer="/doses/${agent}/last_on" label="${label}: date of last dose" type="date" optional disabled=${draft.get(`/doses/${agent}/given`) === false} />
  ${
    agent === "corticosteroid" &&
    html`<${NumberField} draft=${draft} pointer="/doses/${agent}/daily_mg" label="Daily dose" hint="mg of prednisone, or the same of another corticosteroid" optional />`
  }
  <label class="small-text"><input type="checkbox" checked=${draft.get(`/doses/${agent}/given`) === false}
    onChange=${(event) => draft.set(`/doses/${agent}`, event.target.checked ? { given: false } : {})} />Never given</label>
</div>`;

function CollectionFields({ draft }) {
  const disease = draft.get("/clinical/disease");
  const agents = AGENTS.filter(([, , diseases]) => !diseases || diseases.includes(disease));
  const list = (/** @type {typeof AGENTS} */ some) =>
    some.map(([agent, label]) => html`<${Dose} key=${agent} draft=${draft} agent=${agent} label=${label} />`);
  return html`<${FieldGroup} title="Before leukapheresis"
      lead="Compares last doses, given or planned, with the planned leukapheresis date. A line of therapy counts with its end date.">
    <${DraftField} draft=${draft} pointer="/planned_collection_on" label="Planned leukapheresis date" type="date" optional />
    ${list(agents.slice(0, COMMON_AGENTS))}
    <details class="wide">
      <summary>Other treatments (${agents.length - COMMON_AGENTS})</summary>
      <div class="fields">${list(agents.slice(COMMON_AGENTS))}</div>
    </details>
  <//>`;
}

/** The form's pointer for a pointer of the API, which numbers the doses in the order of the request. */
function toFormPointer(draft, pointer) {
  const dose = pointer.match(/^\/clinical\/last_doses\/(\d+)(\/daily_mg)?/);
  if (!dose) return pointer === "/clinical/transplant" ? "/clinical/transplant/kind" : pointer;
  return `/doses/${draft.body.clinical.last_doses?.[dose[1]]?.agent}${dose[2] ?? "/last_on"}`;
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

/** What keeps the result from being up to date, if anything. */
function UpdateState({ draft, onPick }) {
  const errors = draft.errors.value;
  if (errors.length)
    return html`<div class="banner is-warning"><${Icon} name="circle-alert" /><div>
      <p>Results not updated. Fix ${formatCount(errors.length, "field")}:</p>
      <ul>${errors.map(({ pointer, message }) => html`<li><button type="button" class="link-button" onClick=${() => onPick(pointer)}>${message}</button></li>`)}</ul>
    </div></div>`;
  if (draft.problem.value) return html`<${Problem} problem=${draft.problem.value} retry=${() => draft.compare()} />`;
  if (!draft.result.value || !draft.stale.value) return null;
  const text = draft.get("/clinical/disease") ? "Updating…" : "Choose the disease to update the results.";
  return html`<p class="small-text">${text}</p>`;
}

const LINK_TOKEN = /^[\w-]{43}$/;

/**
 * Take the entries of a card's link, once. They replace all others: entries of two patients must not mix.
 * Then the address no longer has the link.
 */
async function openChart(token) {
  try {
    const found = await takeChartEntries(token);
    forget();
    entries.fill(found);
    announce("Entries from the chart. Check each one.");
  } catch (problem) {
    chartProblem.value = problem;
  } finally {
    replaceWith("#/screen/chart");
  }
}

function OpenChart({ token }) {
  useEffect(() => {
    openChart(token);
  }, [token]);
  return html`<${Loading} what="the entries from the chart" />`;
}

export const EligibilityCheck = ({ id }) =>
  LINK_TOKEN.test(id ?? "") ? html`<${OpenChart} token=${id} />` : html`<${EligibilityForm} />`;

function EligibilityForm() {
  const draft = entries;
  const resultBox = useRef(/** @type {HTMLElement | null} */ (null));
  const result = draft.result.value;
  const isAsked = draft.asked.value;
  const isReady = isAsked && result && !draft.stale.value && !draft.busy.value;
  const showResults = () => {
    resultBox.current?.scrollIntoView({ block: "start" });
    resultBox.current?.focus();
  };
  useEffect(() => {
    if (isReady) showResults();
  }, [isReady]);
  useEffect(() => () => clearTimeout(draft.timer), [draft]);
  const run = (event) => {
    event.preventDefault();
    draft.ask();
  };
  const clear = () => {
    forget();
    navigate("#/screen/new");
  };
  const pick = (pointer) => focusField(draft, pointer);
  return html`<div class="title-row">
      <${PageTitle} page="Eligibility check">Eligibility check<//>
      <span class="spacer" />
      <button type="button" class="ghost-button" onClick=${clear}><${Icon} name="trash-2" />Clear all</button>
    </div>
    <p class="lead">Compares your entries with US label criteria. It does not decide eligibility, and nothing is saved. Leave blank what you do not know. Results update while you fill in the form.</p>
    ${chartProblem.value && html`<${Problem} problem=${chartProblem.value} />`}
    <div class="eligibility-check">
      <form class="stack" onSubmit=${run} novalidate>
        ${isAsked && draft.errors.value.length > 0 && html`<${ErrorSummary} errors=${draft.errors.value} onPick=${pick} />`}
        <${DiseaseFields} draft=${draft} />
        <${TherapyFields} draft=${draft} />
        <${TransplantFields} draft=${draft} />
        <${DiscussFields} draft=${draft} />
        <${CollectionFields} draft=${draft} />
        <p><button class="primary" aria-disabled=${draft.busy.value}><${Icon} name="search" />Compare with label criteria</button></p>
      </form>
      <section class="stack" ref=${resultBox} tabindex="-1" aria-label="Results">
        <${UpdateState} draft=${draft} onPick=${pick} />
        ${result && html`<${EligibilityResult} result=${result} stale=${draft.stale.value} onPick=${pick} onRefer=${() => startReferral(draft)} />`}
        ${!result && html`<div class="card small-text"><p>Results appear here. For each product you see whether label criteria appear met, are not met as entered, or need more information, with the rule, your entries, and the source.</p></div>`}
      </section>
    </div>
    ${
      result &&
      html`<div class="result-bar"><p>${draft.errors.value.length ? "Results not updated." : summarize(result)}</p>
      <button type="button" onClick=${showResults}>Show results</button></div>`
    }`;
}
