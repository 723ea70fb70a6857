// The filters of the worklist. They combine with the view, with each other, and with a search.
import { isPractice } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { navigate } from "../platform/route.js";
import { buildListHref, WORST_FIRST } from "./worklist_address.js";
import { isManagingViews } from "./worklist_views.js";

/** @typedef {import("./worklist_address.js").ListAddress} ListAddress */
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
    ["within_7_days", "Next date in 7 days"],
    ["within_30_days", "Next date in 30 days"],
    ["not_set", "Next date not set"],
  ],
};
/** @type {[name: string, label: string, any: string][]} */
const FILTERS = [
  ["stage", "Status", "Any status"],
  ["center_id", "Center", "Any center"],
  ["practice_id", "Practice", "Any practice"],
  ["product_id", "Product", "Any product"],
  ["provider_npi", "Provider", "Any provider"],
  ["urgency", "Urgency", "Any urgency"],
  ["coverage", "Coverage", "Any coverage"],
  ["late", "Late or not", "Late or not"],
  ["next_date", "Next date", "Any next date"],
];
/** @type {Options} */
const ORDERS = [
  [WORST_FIRST, "Worst first"],
  ["patient", "Patient"],
  ["next_action", "Next action"],
  ["next_date", "Next date"],
  ["stage", "Status"],
  ["coverage", "Coverage"],
  ["product", "Product"],
];

/** @param {string} name @param {any} counts @returns {Options} */
const listOptions = (name, counts) =>
  FIXED_OPTIONS[name] ?? (counts?.choices[name] ?? []).map((/** @type {any} */ { value, label }) => [value, label]);

/** @param {{id: string, label: string, any?: string, value: string, options: Options, onPick: (value: string) => void}} properties */
function Choice({ id, label, any, value, options, onPick }) {
  return html`<p class="field">
    <label for=${id} class="visually-hidden">${label}</label>
    <select id=${id} class=${any && value ? "is-active" : undefined} onChange=${(/** @type {any} */ event) => onPick(event.target.value)}>
      ${any && html`<option value="" selected=${!value}>${any}</option>`}
      ${any && value && !options.some(([each]) => each === value) && html`<option value=${value} selected>…</option>`}
      ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
    </select>
  </p>`;
}

const openSavedViews = () => {
  isManagingViews.value = true;
};

/** The address with one filter more, or one less. It begins on the first page. @param {ListAddress} address @param {string} name @param {string} value */
const changeFilter = (address, name, value) =>
  buildListHref({ ...address, filters: { ...address.filters, [name]: value }, page: 1 });

/** @param {{address: ListAddress, counts: any}} properties */
export function WorklistFilters({ address, counts }) {
  const [isOpen, setOpen] = useState(false);
  // A practice has one practice, and a center one center.
  const own = isPractice() ? "practice_id" : "center_id";
  const active = Object.keys(address.filters).length;
  return html`<button type="button" class="filter-button" aria-expanded=${isOpen} aria-controls="filters" onClick=${() => setOpen(!isOpen)}>
      ${active ? `Filter and sort (${active})` : "Filter and sort"}
    </button>
    <form id="filters" class=${isOpen ? "worklist-filters is-open" : "worklist-filters"} aria-label="Filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      ${FILTERS.filter(([name]) => name !== own).map(
        ([
          name,
          label,
          any,
        ]) => html`<${Choice} id="filter-${name}" label=${label} any=${any} value=${address.filters[name] ?? ""}
          options=${listOptions(name, counts)} onPick=${(/** @type {string} */ value) => navigate(changeFilter(address, name, value))} />`,
      )}
      <div class="sort-choice"><${Choice} id="sort" label="Sort by" value=${address.sort} options=${ORDERS}
        onPick=${(/** @type {string} */ sort) => navigate(buildListHref({ ...address, sort, page: 1 }))} /></div>
      ${
        active > 0 &&
        html`<button type="button" class="ghost-button" onClick=${() => navigate(buildListHref({ ...address, filters: {}, page: 1 }))}>
        Clear ${formatCount(active, "filter")}
      </button>
      <button type="button" class="ghost-button" onClick=${openSavedViews}>Save view</button>`
      }
    </form>`;
}
