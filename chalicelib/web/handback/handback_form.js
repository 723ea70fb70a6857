// The form in which a center writes the transition-of-care summary. It can be saved before it is complete.
import { listProducts } from "../centers/centers_api.js";
import { html, useState } from "../platform/dom.js";
import { DraftChoice, DraftField, FieldGroup, listOptions } from "../platform/form_fields.js";
import { getAt, isSame, setAt } from "../platform/json_document.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { buildReferralHref, navigate } from "../platform/route.js";
import { announce, Icon, Loading, PageTitle, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { getHandback, saveHandback } from "./handback_api.js";
import { toPackage } from "./handback_document.js";
import { CarePoints, Infusions, Prophylaxis, Responsibilities } from "./handback_lists.js";

const RESPONSES = listOptions(
  ["complete_response", "partial_response", "stable_disease", "progressive_disease", "not_assessed"],
  "Choose",
);
const STEROIDS = listOptions(["none", "tapering", "ongoing"], "Choose");
const GRADES = [["", "Choose"], ["0", "None"], ...[1, 2, 3, 4].map((grade) => [String(grade), `Grade ${grade}`])];

function Treatment({ draft, products }) {
  const options = [["", "Choose"], ...products.map(({ product_id: id, name }) => [id, name])];
  return html`<${FieldGroup} title="Treatment">
      <${DraftField} draft=${draft} pointer="/product_id" label="Product" options=${options} />
      <${DraftField} draft=${draft} pointer="/lot" label="Lot number or chain-of-identity ID" optional />
      <${Infusions} draft=${draft} />
    <//>
    <${FieldGroup} title="Response">
      <${DraftField} draft=${draft} pointer="/response/assessment" label="Assessment" options=${RESPONSES} />
      <${DraftField} draft=${draft} pointer="/response/on" label="Assessed on" type="date" />
      <${DraftField} draft=${draft} pointer="/response/words" label="Method" optional />
    <//>`;
}

function Toxicities({ draft, grades }) {
  return html`<${FieldGroup} title="Toxicities" lead="Enter the worst grade of each. Grading: ${grades.title}.">
    <${DraftField} draft=${draft} pointer="/crs/worst_grade" label="CRS, worst grade" options=${GRADES} />
    <${DraftField} draft=${draft} pointer="/crs/treatment" label="CRS, treatment given" optional wide rows="2" />
    <${DraftField} draft=${draft} pointer="/icans/worst_grade" label="ICANS, worst grade" options=${GRADES} />
    <${DraftField} draft=${draft} pointer="/icans/treatment" label="ICANS, treatment given" optional wide rows="2" />
    <${DraftField} draft=${draft} pointer="/steroids/status" label="Current corticosteroids" options=${STEROIDS} />
    <${DraftField} draft=${draft} pointer="/steroids/words" label="Corticosteroids, dose and taper" optional />
  <//>`;
}

function Blood({ draft }) {
  const figure = { type: "number", min: "0", step: "any", inputmode: "decimal", optional: true };
  return html`<${FieldGroup} title="Blood and infections">
    <${DraftField} draft=${draft} pointer="/cytopenias" label="Current cytopenias" wide rows="2" />
    <${DraftField} draft=${draft} pointer="/counts/on" label="Date of last blood count" type="date" optional />
    <${DraftField} draft=${draft} pointer="/counts/neutrophils_per_ul" label="Neutrophils (cells/µL)" ...${figure} />
    <${DraftField} draft=${draft} pointer="/counts/hemoglobin_g_dl" label="Hemoglobin (g/dL)" ...${figure} />
    <${DraftField} draft=${draft} pointer="/counts/platelets_per_ul" label="Platelets (cells/µL)" ...${figure} />
    <${DraftField} draft=${draft} pointer="/transfusion_needs" label="Transfusion needs" wide rows="2" />
    <${DraftField} draft=${draft} pointer="/irradiated_until" label="Irradiated blood products until" type="date" optional
      hint="We filled in the published minimum of 90 days after infusion." />
    <${DraftField} draft=${draft} pointer="/immunoglobulin/igg_mg_dl" label="Last IgG (mg/dL)" ...${figure} />
    <${DraftField} draft=${draft} pointer="/immunoglobulin/measured_on" label="Date of last IgG" type="date" optional />
    <${DraftField} draft=${draft} pointer="/immunoglobulin/plan" label="Plan for IgG and IVIG" wide rows="2" />
    <${DraftField} draft=${draft} pointer="/vaccination_plan" label="Vaccination plan" wide rows="2" />
    <${Prophylaxis} draft=${draft} />
  <//>`;
}

function ResponsibilityFields({ draft }) {
  return html`<${FieldGroup} title="Next steps">
    <${DraftField} draft=${draft} pointer="/driving_cleared_on" label="Cleared to drive on" type="date" />
    <${DraftField} draft=${draft} pointer="/next_center_visit_on" label="Next visit at the center (date)" type="date" />
    <${DraftField} draft=${draft} pointer="/center_phone" label="Center's 24/7 phone number" type="tel" />
    <${DraftField} draft=${draft} pointer="/open_problems" label="Open problems" wide rows="3" />
    <${DraftField} draft=${draft} pointer="/warning_signs" label="Warning signs, and when to call" wide rows="3" />
    <${Responsibilities} draft=${draft} />
    <${DraftChoice} draft=${draft} pointer="/wallet_card_given" label="Does the patient have a wallet card?" options=${[[true, "Yes"], [false, "No"]]} />
  <//>`;
}

/** Save the summary. If only the response of an earlier try was lost, the server has this summary already. */
async function saveOnce(id, body, etag) {
  try {
    await saveHandback(id, body, etag);
  } catch (problem) {
    if (problem.status !== 412) throw problem;
    const { data } = await getHandback(id);
    if (!data.package || !isSame(toPackage(data.package), body)) throw problem;
  }
}

function SummaryForm({ id, read, products }) {
  const [values, setValues] = useState(() => read.data.package || read.data.proposal || {});
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const draft = {
    get: (pointer) => getAt(values, pointer),
    set: (pointer, value) => setValues((old) => setAt(old, pointer, value)),
    errors: { value: problem?.errors || [] },
  };
  const save = async (event) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      await saveOnce(id, toPackage(values), read.etag);
      announce("Summary saved");
      navigate(buildReferralHref(id));
    } catch (failure) {
      setBusy(false);
      setProblem(failure);
    }
  };
  return html`<form class="stack" onSubmit=${save} novalidate>
    <${Treatment} draft=${draft} products=${products} />
    <${Toxicities} draft=${draft} grades=${read.data.grades} />
    <${Blood} draft=${draft} />
    <${ResponsibilityFields} draft=${draft} />
    <${CarePoints} draft=${draft} />
    ${
      problem?.status === 412
        ? html`<${Problem} problem=${problem}>Someone else changed this summary after you opened it. Copy anything you need from this page, then reload to see their version.<//>`
        : html`<${RefusedRequest} problem=${problem} unknown=${!!problem?.passing} retry=${save}
          onPick=${(pointer) => document.getElementById(toFieldId(pointer))?.focus()} />`
    }
    <div class="buttons form-end">
      <button class="primary" aria-disabled=${busy}>${busy ? "Saving…" : "Save summary"}</button>
      <a class="button" href=${buildReferralHref(id)}>Cancel</a>
      <span class="small-text">You can save it before it is complete. The practice and the center both see what is missing.</span>
    </div>
  </form>`;
}

export function HandbackForm({ id }) {
  const { data, problem, reload } = useLoad(() => Promise.all([getHandback(id), listProducts()]), [id]);
  const title = html`<${PageTitle} page="Transition-of-care summary">Transition-of-care summary<//>`;
  if (!data)
    return problem
      ? html`${title}<${Problem} problem=${problem} retry=${reload} />`
      : html`<${Loading} what="the summary" />`;
  const [read, products] = data;
  return html`<p class="back-link"><a href=${buildReferralHref(id)}><${Icon} name="arrow-left" />Referral</a></p>
    ${title}
    ${
      read.data.may_write
        ? html`<${SummaryForm} id=${id} read=${read} products=${products} />`
        : html`<p class="banner">Only the treatment center can edit this summary, and only while the referral is open.</p>`
    }`;
}
