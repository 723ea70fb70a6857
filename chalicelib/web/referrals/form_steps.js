// The steps of the form that have only simple fields.
import { listDiagnosisCodes } from "../centers/centers_api.js";
import { html, useState } from "../platform/dom.js";
import { DraftChoice, DraftField, FieldGroup, listOptions, YES_NO_OPTIONS } from "../platform/form_fields.js";
import { FLAGS } from "../platform/labels.js";
import { useLoad } from "../platform/ui.js";
import { BASES, isOldConsent, SCOPES } from "./consent_labels.js";
import { DiseaseAndHistology, LastImaging } from "./histology_field.js";
import { listLanguageOptions } from "./languages.js";
import { KnownPayers, KnownProviders, Payer, ProviderName } from "./practice_directory.js";

const SEXES = ["female", "male", "intersex", "other", "unknown"];
const PLANS = [
  "commercial",
  "medicare_ffs",
  "medicare_advantage",
  "medicaid",
  "marketplace",
  "va",
  "tricare",
  "uninsured",
  "self_pay",
  "other",
];

/** A whole date in a date field, or the part of it that is known as text. @param {any} properties */
function BirthDate({ draft }) {
  const pointer = "/patient/birth_date";
  const value = draft.get(pointer);
  const [isPartial, setPartial] = useState(Boolean(value) && value.length < 10);
  const change = (event) => {
    setPartial(event.target.checked);
    draft.set(pointer, event.target.checked ? value.slice(0, 4) : "");
  };
  return html`<div>
    ${
      isPartial
        ? html`<${DraftField} draft=${draft} pointer=${pointer} label="Year of birth" inputmode="numeric" maxlength="7"
          hint="Enter the year, such as 1961, or the year and month, such as 1961-04" />`
        : html`<${DraftField} draft=${draft} pointer=${pointer} label="Date of birth" type="date" />`
    }
    <label class="check"><input type="checkbox" checked=${isPartial} onChange=${change} />Only the year, or year and month, is known</label>
  </div>`;
}

export function PatientStep({ draft }) {
  return html`<${FieldGroup} title="Patient">
      <${DraftField} draft=${draft} pointer="/patient/given_name" label="First name" />
      <${DraftField} draft=${draft} pointer="/patient/family_name" label="Last name" />
      <${BirthDate} draft=${draft} />
      <${DraftField} draft=${draft} pointer="/patient/mrn" label="Medical record number" optional />
      <${DraftField} draft=${draft} pointer="/patient/sex" label="Sex" options=${listOptions(SEXES, "Choose")} />
    <//>
    <${FieldGroup} title="Contact">
      <${DraftField} draft=${draft} pointer="/patient/phone" label="Phone" type="tel" hint="With an extension: 713-555-0142 x12. For a number outside the US, start with + and the country code" />
      <${DraftField} draft=${draft} pointer="/patient/zip" label="ZIP code" inputmode="numeric" />
      <${DraftField} draft=${draft} pointer="/patient/email" label="Email" type="email" optional />
      <${DraftField} draft=${draft} pointer="/patient/language" label="Preferred language" options=${listLanguageOptions(draft.get("/patient/language"))} />
      <${DraftChoice} draft=${draft} pointer="/patient/interpreter_needed" label="Interpreter needed" options=${YES_NO_OPTIONS} />
      <${DraftField} draft=${draft} pointer="/patient/caregiver/name" label="Caregiver's name" optional />
      <${DraftField} draft=${draft} pointer="/patient/caregiver/phone" label="Caregiver's phone" type="tel" optional />
      <${DraftField} draft=${draft} pointer="/patient/caregiver/relation" label="Caregiver's relationship to the patient" optional />
      <${DraftField} draft=${draft} pointer="/patient/alias" label="Alias for email" optional maxlength="40"
        hint="The only name used in email. Do not use the patient's name, initials, dates, or diagnosis. Leave empty and we suggest one." />
    <//>`;
}

/** The hint below the field: the description of a known code, or the source of the suggested codes. */
function describeCode(codes, typed) {
  if (!codes) return "For example, C83.398";
  const match = codes.items.find(({ code }) => code === typed);
  if (match) return match.description;
  const ended = codes.may_be_out_of_date
    ? " This list may be out of date: the release has ended. Newer codes are accepted."
    : "";
  return `Billable codes from ${codes.release.name}.${ended}`;
}

/** The hint and the suggested codes of the diagnosis code field. */
function useDiagnosisCodes(disease, typed) {
  // The suggestions are a convenience. Without them the field still accepts a code, and the server checks it.
  const { data } = useLoad(async () => (disease ? listDiagnosisCodes(disease) : null), [disease]);
  return {
    hint: describeCode(data, String(typed).trim().toUpperCase()),
    suggestions: html`<datalist id="codes">
      ${data?.items.map(({ code, description }) => html`<option value=${code}>${description}</option>`)}
    </datalist>`,
  };
}

export function DiagnosisStep({ draft }) {
  const set = (event) => draft.set("/clinical/ecog", event.target.value === "" ? "" : Number(event.target.value));
  const codes = useDiagnosisCodes(draft.get("/clinical/disease"), draft.get("/clinical/icd10"));
  return html`<${FieldGroup} title="Diagnosis">
      <${DiseaseAndHistology} draft=${draft} />
      <${DraftField} draft=${draft} pointer="/clinical/icd10" label="ICD-10-CM code" optional list="codes" hint=${codes.hint} />${codes.suggestions}
      <${DraftField} draft=${draft} pointer="/clinical/ecog" label="ECOG performance status" onInput=${set}
        options=${[
          ["", "Not assessed"],
          ["0", "0 – Fully active"],
          ["1", "1 – Restricted in strenuous activity"],
          ["2", "2 – Up and about more than half of waking hours"],
          ["3", "3 – In bed or chair more than half of waking hours"],
          ["4", "4 – Completely disabled"],
        ]} />
      <${LastImaging} draft=${draft} />
    <//>
    <${FieldGroup} title="Discuss with the center" lead="No answer here rules a patient in or out. The center reviews each one.">
      <${DraftChoice} draft=${draft} pointer="/clinical/hsct_eligible" label="Is the patient a candidate for stem cell transplant?" options=${YES_NO_OPTIONS} />
      ${Object.entries(FLAGS).map(
        ([flag, label]) =>
          html`<${DraftChoice} draft=${draft} pointer="/clinical/flags/${flag}" label="${label}?" options=${YES_NO_OPTIONS} />`,
      )}
    <//>`;
}

/** @param {any} properties */
const FUNDING = [
  ["", "Not entered"],
  ["self_funded", "Self-funded"],
  ["fully_insured", "Fully insured"],
  ["unknown", "Unknown"],
];
const RELATIONSHIPS = [
  ["", "Not entered"],
  ["self", "The patient"],
  ["spouse", "The patient's spouse"],
  ["child", "A parent of the patient"],
  ["other", "Someone else"],
];

export const InsuranceFields = ({ draft }) => html`<${FieldGroup} title="Insurance"
  lead="For information only. Not a guarantee of coverage. A patient without insurance needs no payer and no member ID.">
  <${DraftField} draft=${draft} pointer="/insurance/plan_type" label="Plan type" options=${listOptions(PLANS, "Choose the plan type")} />
  <${Payer} draft=${draft} />
  <${DraftField} draft=${draft} pointer="/insurance/member_id" label="Member ID" />
  <${DraftField} draft=${draft} pointer="/insurance/group" label="Group number" optional />
  <${KnownPayers} />
  ${
    draft.get("/insurance/plan_type") === "commercial" &&
    html`<${DraftField} draft=${draft} pointer="/insurance/funding" label="Funding of the plan" options=${FUNDING} />`
  }
  <${DraftField} draft=${draft} pointer="/insurance/subscriber/relationship" label="Policy holder" options=${RELATIONSHIPS} />
  ${
    ["spouse", "child", "other"].includes(draft.get("/insurance/subscriber/relationship")) &&
    html`<${DraftField} draft=${draft} pointer="/insurance/subscriber/given_name" label="Policy holder's first name" />
    <${DraftField} draft=${draft} pointer="/insurance/subscriber/family_name" label="Policy holder's last name" />
    <${DraftField} draft=${draft} pointer="/insurance/subscriber/birth_date" label="Policy holder's date of birth" type="date" />`
  }
<//>`;

const listCodes = (/** @type {Record<string, string>} */ labels, /** @type {string} */ first) => [
  ["", first],
  ...Object.entries(labels),
];

/** @param {any} properties */
export function ConsentFields({ draft }) {
  const isShared = !!draft.referral.value?.submitted_at;
  return html`<${FieldGroup} title="Consent to share">
    <${DraftChoice} draft=${draft} pointer="/consent_to_share/given" label="Has the patient consented to share this information with the center?"
      options=${[[true, "Yes"], [false, "Not yet"]]} />
    <${DraftField} draft=${draft} pointer="/consent_to_share/basis" label="Basis for sharing" options=${listCodes(BASES, "Choose the basis")} />
    <${DraftField} draft=${draft} pointer="/consent_to_share/on" label="Date of consent" type="date" />
    ${
      isOldConsent(draft.get("/consent_to_share/on")) &&
      html`<${DraftChoice} draft=${draft} pointer="/consent_to_share/confirmed" label="This consent is more than a year old. Does it still apply?"
        hint="Check with the patient if you are not sure." options=${[[true, "Yes, it still applies"], [false, "Not checked"]]} />`
    }
    <${DraftField} draft=${draft} pointer="/consent_to_share/scope" label="What may be shared" options=${listCodes(SCOPES, "Choose the scope")} />
    <${DraftField} draft=${draft} pointer="/consent_to_share/expires_on" label="Ends on" type="date" optional />
    ${
      isShared &&
      html`<${DraftField} draft=${draft} pointer="/consent_to_share/withdrawn_on" label="Withdrawn on" type="date" optional
        hint="Enter the day when the patient withdrew. The center is notified at once." />`
    }
  <//>`;
}

/** @param {any} properties */
export const NoteFields = ({ draft }) => html`<${FieldGroup} title="Note to the center">
  <${DraftField} draft=${draft} pointer="/note" label="Note" rows="4" wide optional maxlength="4000"
    hint="Anything the fields above do not cover. Keep it brief." />
<//>`;

export const CoverageStep = ({ draft }) => html`<${InsuranceFields} draft=${draft} />
  <${ConsentFields} draft=${draft} />
  <${NoneBecause} draft=${draft} />
  <${NoteFields} draft=${draft} />`;

// The required items for which "none, because" is an answer, by the server's pointers.
const NONE_ITEMS = {
  "/patient/given_name": "First name",
  "/patient/sex": "Sex",
  "/patient/zip": "ZIP code",
  "/patient/phone": "Patient's phone",
  "/clinical/histology": "Histology",
  "/clinical/ecog": "ECOG performance status",
  "/clinical/prior_lines": "Prior lines of therapy",
  "/referring_provider/npi": "NPI",
  "/referring_provider/phone": "Referring provider's phone",
  "/insurance/payer": "Payer",
  "/insurance/member_id": "Member ID",
};

/** Items that have no value, each with the reason. Without this answer, people make up a value. */
export function NoneBecause({ draft }) {
  const answers = draft.get("/none_because") || [];
  const set = (changed) => draft.set("/none_because", changed);
  const edit = (index, change) => set(answers.map((each, at) => (at === index ? { ...each, ...change } : each)));
  return html`<${FieldGroup} title="Items without a value"
      lead="If the patient has no phone or no last insurance card, say why instead of entering something.">
    ${answers.map(
      ({ item, reason }, index) => html`
        <${DraftField} draft=${draft} pointer="/none_because/${index}/item" label="Item" options=${listCodes(NONE_ITEMS, "Choose the item")}
          value=${item} onInput=${(event) => edit(index, { item: event.target.value })} />
        <${DraftField} draft=${draft} pointer="/none_because/${index}/reason" label="None, because" maxlength="200" value=${reason}
          onInput=${(event) => edit(index, { reason: event.target.value })} />`,
    )}
    <div class="buttons">
      <button type="button" onClick=${() => set([...answers, { item: "", reason: "" }])}>Add an item without a value</button>
      ${answers.length > 0 && html`<button type="button" class="ghost-button" onClick=${() => set(answers.slice(0, -1))}>Remove the last one</button>`}
    </div>
  <//>`;
}

export function ProviderStep({ draft }) {
  return html`<${FieldGroup} title="Referring provider">
    <${ProviderName} draft=${draft} />
    <${DraftField} draft=${draft} pointer="/referring_provider/npi" label="NPI" inputmode="numeric" hint="10 digits" />
    <${DraftField} draft=${draft} pointer="/referring_provider/phone" label="Phone" type="tel" />
    <${DraftField} draft=${draft} pointer="/referring_provider/email" label="Email" type="email" optional />
    <${KnownProviders} />
  <//>`;
}
