// The values of the filters of the worklist. They load when the first filter is opened, or is in the address.
import { html } from "../platform/dom.js";

/** @typedef {[value: string, label: string][]} Options */

/** @type {Options} */
const COVERAGE_STATES = [
  ["not_applicable", "No insurance"],
  ["plan_changed", "Plan changed"],
  ["expired", "Expired"],
  ["denied", "Denied by the payer"],
  ["appeal", "Appeal"],
  ["more_info", "Payer asks for more"],
  ["to_submit", "Authorization to submit"],
  ["submitted", "Payer reviewing"],
  ["agreement_open", "Case agreement open"],
  ["approved", "Authorization approved"],
  ["verifying", "Verifying"],
  ["unable_to_verify", "Not verified"],
  ["verified", "Verified"],
  ["cleared", "Cleared"],
  ["not_started", "Not started"],
];
/** @type {Record<string, Options>} */
const FIXED_OPTIONS = {
  urgency: [
    ["urgent", "Urgent"],
    ["routine", "Routine"],
  ],
  coverage: COVERAGE_STATES,
  late: [
    ["true", "Late"],
    ["false", "Not late"],
  ],
  next_date: [
    ["within_7_days", "In 7 days"],
    ["within_30_days", "In 30 days"],
    ["not_set", "Not set"],
  ],
};

/** @param {string} name @param {any} counts @returns {Options} */
const listOptions = (name, counts) =>
  FIXED_OPTIONS[name] ?? (counts?.choices[name] ?? []).map((/** @type {any} */ { value, label }) => [value, label]);

/** @param {string} name @param {any} counts @param {string} value @returns {string} */
export function getValueLabel(name, counts, value) {
  const found = listOptions(name, counts).find(([each]) => each === value);
  // The counts have the names of organizations, and arrive after the list.
  return found?.[1] ?? (counts ? "Not in your referrals" : "…");
}

/**
 * The values of a filter, as check boxes. The list shows the referrals with one of the checked values.
 * @param {{name: string, label: string, values: string[], counts: any, onChange: (values: string[]) => void}} properties
 */
export function FilterValues({ name, label, values, counts, onChange }) {
  const isSingle = name === "late";
  const options = listOptions(name, counts).map(([value]) => value);
  const all = [...new Set([...options, ...values])];
  // What is checked on the page, because a quick second choice comes before the first one is in `values`.
  const pick = (/** @type {any} */ event) =>
    onChange(
      [...event.currentTarget.querySelectorAll(":checked")].map((/** @type {HTMLInputElement} */ box) => box.value),
    );
  return html`<fieldset class="filter-values" onChange=${pick}><legend class="visually-hidden">${label}</legend>
      ${all.map(
        (value) => html`<label key=${value}>
        <input type=${isSingle ? "radio" : "checkbox"} name="filter-${name}" value=${value} checked=${values.includes(value)} />
        ${getValueLabel(name, counts, value)}
      </label>`,
      )}
      ${!all.length && html`<p class="small-text">No values to choose from.</p>`}
    </fieldset>
    ${values.length > 0 && html`<button type="button" class="ghost-button" onClick=${() => onChange([])}>Clear ${label.toLowerCase()}</button>`}`;
}
