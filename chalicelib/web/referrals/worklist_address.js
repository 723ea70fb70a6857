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

/** @typedef {{view: string, filters: Record<string, string>, sort: string, page: number}} ListAddress */

const isSafe = (/** @type {string | null} */ value) => !!value && /^-?[a-z0-9_]{1,64}$/.test(value);

/** @param {string | undefined} view @param {string | undefined} query @returns {ListAddress} */
export function parseListAddress(view, query) {
  const given = new URLSearchParams(query);
  const filters = FILTER_NAMES.map((name) => [name, given.get(name)]).filter(([, value]) => isSafe(value));
  const sort = given.get("sort");
  return {
    view: view || FIRST_VIEW,
    filters: Object.fromEntries(filters),
    sort: sort && isSafe(sort) ? sort : WORST_FIRST,
    page: Math.min(Math.max(Number.parseInt(given.get("page") || "", 10) || 1, 1), 999),
  };
}

/** @param {ListAddress} address */
export function buildListHref({ view, filters, sort, page }) {
  const query = new URLSearchParams();
  for (const name of FILTER_NAMES) if (filters[name]) query.set(name, filters[name]);
  if (sort !== WORST_FIRST) query.set("sort", sort);
  if (page > 1) query.set("page", String(page));
  return `#/worklist/${view}${query.size ? `?${query}` : ""}`;
}
