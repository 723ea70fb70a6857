// The address of a worklist: its view, filters, order and page. A search is not in it, because it can be a name.

/** The view that a person sees first. */
export const FIRST_VIEW = "needs_action";

/** The order of a list that begins with the worst. */
export const WORST_FIRST = "worst_first";

/** The parameters of the API by which a list can be filtered, in the order of the page. */
export const FILTER_NAMES = [
  "stage",
  "center_id",
  "practice_id",
  "product_id",
  "provider_npi",
  "urgency",
  "coverage",
  "late",
  "next_date",
];

/** @typedef {{view: string, filters: Record<string, string[]>, sort: string, page: number}} ListAddress */

/** How many values the API takes for a filter. */
const MAX_VALUES = 50;

const isSafe = (/** @type {string | null} */ value) => !!value && /^-?[a-z0-9_]{1,64}$/.test(value);

/** The values of each filter once and in one order, so that a list has one address. @param {(name: string) => string[]} getValues */
function readFilters(getValues) {
  /** @type {Record<string, string[]>} */
  const filters = {};
  for (const name of FILTER_NAMES) {
    const values = [...new Set(getValues(name))].filter(isSafe).sort();
    if (values.length) filters[name] = values.slice(0, name === "late" ? 1 : MAX_VALUES);
  }
  return filters;
}

/** @param {string | undefined} view @param {string | undefined} query @returns {ListAddress} */
export function parseListAddress(view, query) {
  const given = new URLSearchParams(query);
  const sort = given.get("sort");
  return {
    view: view || FIRST_VIEW,
    filters: readFilters((name) => given.getAll(name)),
    sort: sort && isSafe(sort) ? sort : WORST_FIRST,
    page: Math.min(Math.max(Number.parseInt(given.get("page") || "", 10) || 1, 1), 999),
  };
}

/** @param {ListAddress} address */
export function buildListHref({ view, filters, sort, page }) {
  const query = new URLSearchParams();
  const chosen = Object.entries(readFilters((name) => filters[name] ?? []));
  for (const [name, values] of chosen) for (const value of values) query.append(name, value);
  if (sort !== WORST_FIRST) query.set("sort", sort);
  if (page > 1) query.set("page", String(page));
  return `#/worklist/${view}${query.size ? `?${query}` : ""}`;
}
