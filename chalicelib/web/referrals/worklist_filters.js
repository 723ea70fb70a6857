// The filters of the worklist. They combine with the view, with each other, and with a search.
import { isPractice } from "../identity/member.js";
import { onSignOut } from "../identity/session.js";
import { html, signal, useRef, useState } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { Menu } from "../platform/menu.js";
import { navigate, replaceWith } from "../platform/route.js";
import { Problem, useLoad } from "../platform/ui.js";
import { buildListHref, WORST_FIRST } from "./worklist_address.js";
import { isManagingViews } from "./worklist_views.js";

/** @typedef {import("./worklist_address.js").ListAddress} ListAddress */
/** @typedef {[value: string, label: string][]} Options */

/** Whether a phone shows the filters. */
const isOpen = signal(false);
onSignOut(() => {
  isOpen.value = false;
});

/** @type {[name: string, label: string][]} */
const FILTERS = [
  ["stage", "Status"],
  ["center_id", "Center"],
  ["practice_id", "Practice"],
  ["product_id", "Product"],
  ["provider_npi", "Provider"],
  ["urgency", "Urgency"],
  ["coverage", "Coverage"],
  ["late", "Late or not"],
  ["next_date", "Next date"],
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

/**
 * A filter, with its values in a panel.
 * @param {{name: string, label: string, values: string[], counts: any, module: any, load: () => void, onChange: (values: string[], isFirst: boolean) => void}} properties
 */
function Filter({ name, label, values, counts, module, load, onChange }) {
  const isFirst = useRef(true);
  const change = (/** @type {string[]} */ next) => {
    onChange(next, isFirst.current);
    isFirst.current = false;
  };
  const open = () => {
    isFirst.current = true;
    load();
  };
  const chosen =
    values.length > 1
      ? ` (${values.length})`
      : values[0] && `: ${module.data?.getValueLabel(name, counts, values[0]) ?? "…"}`;
  return html`<${Menu} label=${label + (chosen ?? "")} isMarked=${values.length > 0} onOpen=${open}>
    ${module.data && html`<${module.data.FilterValues} name=${name} label=${label} values=${values} counts=${counts} onChange=${change} />`}
    ${module.problem && html`<${Problem} problem=${module.problem} retry=${module.reload} />`}
  <//>`;
}

/** @param {{value: string, onPick: (value: string) => void}} properties */
function Order({ value, onPick }) {
  return html`<p class="field sort-choice">
    <label for="sort" class="visually-hidden">Sort by</label>
    <select id="sort" onChange=${(/** @type {any} */ event) => onPick(event.target.value)}>
      ${ORDERS.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
    </select>
  </p>`;
}

const openSavedViews = () => {
  isManagingViews.value = true;
};

/** The address with other values of a filter. It begins on the first page. @param {ListAddress} address @param {string} name @param {string[]} values */
const changeFilter = (address, name, values) =>
  buildListHref({ ...address, filters: { ...address.filters, [name]: values }, page: 1 });

/** The button that shows the filters on a phone, with the number of those that are in use. @param {{address: ListAddress}} properties */
export function FilterButton({ address }) {
  const active = Object.keys(address.filters).length;
  return html`<button type="button" class=${active ? "filter-button is-active" : "filter-button"} aria-expanded=${isOpen.value}
      aria-controls="filters" onClick=${() => (isOpen.value = !isOpen.value)}>
    Filter<span class="visually-hidden"> and sort</span>${active > 0 && ` (${active})`}
  </button>`;
}

/** @param {{address: ListAddress, counts: any}} properties */
export function WorklistFilters({ address, counts }) {
  // A practice has one practice, and a center one center.
  const own = isPractice() ? "practice_id" : "center_id";
  const active = Object.keys(address.filters).length;
  const [isOpened, setOpened] = useState(false);
  const isNeeded = isOpened || active > 0;
  const module = useLoad(async () => (isNeeded ? import("./filter_values.js") : null), [isNeeded]);
  return html`<form id="filters" class=${isOpen.value ? "worklist-filters is-open" : "worklist-filters"} aria-label="Filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      ${FILTERS.filter(([name]) => name !== own).map(
        ([
          name,
          label,
        ]) => html`<${Filter} key=${name} name=${name} label=${label} values=${address.filters[name] ?? []} counts=${counts}
          module=${module} load=${() => setOpened(true)}
          onChange=${(/** @type {string[]} */ values, /** @type {boolean} */ isFirst) =>
            // What is changed while a menu is open is one step of the browser's history.
            (isFirst ? navigate : replaceWith)(changeFilter(address, name, values))} />`,
      )}
      <${Order} value=${address.sort} onPick=${(/** @type {string} */ sort) => navigate(buildListHref({ ...address, sort, page: 1 }))} />
      ${
        active > 0 &&
        html`<button type="button" class="ghost-button" onClick=${() => navigate(buildListHref({ ...address, filters: {}, page: 1 }))}>
        Clear ${formatCount(active, "filter")}
      </button>
      <button type="button" class="ghost-button" onClick=${openSavedViews}>Save view</button>`
      }
    </form>`;
}
