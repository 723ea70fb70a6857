// @ts-check
// A referral's body as plain data: reading and writing by JSON pointer, leaving out what is
// empty, and merging two people's changes. Everything here is pure.

/** @typedef {Record<string, any>} Values */

export const SECTIONS = [
  "patient", "clinical", "product_id", "center_id", "urgency",
  "referring_provider", "insurance", "consent_to_share", "note",
];

const keysOf = (/** @type {string} */ pointer) => pointer.slice(1).split("/");

/** @param {any} values @param {string} pointer */
export const at = (values, pointer) => keysOf(pointer).reduce((value, key) => value?.[key], values);

/** @param {any} values @param {string} pointer @param {any} value @returns {any} a changed copy */
export function put(values, pointer, value) {
  const [key, ...rest] = keysOf(pointer);
  const copy = Array.isArray(values) ? [...values] : { ...values };
  copy[key] = rest.length ? put(copy[key] ?? {}, `/${rest.join("/")}`, value) : value;
  return copy;
}

/** Without blanks and without what holds nothing but blanks; false and 0 are answers. @param {any} value @returns {any} */
export function pruned(value) {
  if (typeof value === "string") return value.trim() || undefined;
  if (Array.isArray(value)) {
    const kept = value.map(pruned).filter((each) => each !== undefined);
    return kept.length ? kept : undefined;
  }
  if (value && typeof value === "object") {
    const kept = Object.entries(value).map(([key, each]) => [key, pruned(each)]).filter(([, each]) => each !== undefined);
    return kept.length ? Object.fromEntries(kept) : undefined;
  }
  return value ?? undefined;
}

/** "(713) 555-0142" as the API wants it; what is not a US number goes as it is. @param {string} typed */
export function phoneNumber(typed) {
  const bare = typed.replace(/[\s().-]/g, "");
  return /^1?\d{10}$/.test(bare) ? `+1${bare.slice(-10)}` : bare;
}

/** "DLBCL NOS" as a code: the letters and digits, joined. @param {string} typed */
export const codeOf = (typed) => typed.trim().replace(/[^A-Za-z0-9]+/g, "_");

/** @type {[string, (typed: string) => string][]} */
const SPELLINGS = [
  ["/patient/phone", phoneNumber],
  ["/patient/caregiver/phone", phoneNumber],
  ["/referring_provider/phone", phoneNumber],
  ["/clinical/histology", codeOf],
  ["/clinical/icd10", (typed) => typed.toUpperCase()],
];

/** What the API takes, from what the form holds. @param {Values} values @returns {Values} */
export function bodyOf(values) {
  let body = pruned(Object.fromEntries(SECTIONS.map((name) => [name, values[name]]))) || {};
  for (const [pointer, spell] of SPELLINGS) {
    const typed = at(body, pointer);
    if (typed) body = put(body, pointer, spell(typed));
  }
  const lines = body.clinical?.prior_lines;
  if (!lines) return body;
  return put(body, "/clinical/prior_lines", lines.map((/** @type {object} */ line, /** @type {number} */ index) => ({ ...line, line: index + 1 })));
}

/** @param {any} left @param {any} right */
export const same = (left, right) => JSON.stringify(sorted(pruned(left))) === JSON.stringify(sorted(pruned(right)));

/** @param {any} value @returns {any} */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

/** The sections that differ from what the server has; one that was emptied becomes null. @param {Values} values @param {Values} base */
export function changed(values, base) {
  const body = bodyOf(values);
  const old = bodyOf(base);
  const names = SECTIONS.filter((name) => !same(body[name], old[name]));
  return Object.fromEntries(names.map((name) => [name, body[name] ?? null]));
}

/**
 * Bring two sides together, leaf by leaf. What only one side changed is taken from it; where
 * both did, the server's value stands and the pointer is added to `clashes`.
 *
 * @param {any} base what both started from
 * @param {any} mine
 * @param {any} theirs
 * @param {string[]} clashes
 * @param {string} [pointer]
 * @returns {any}
 */
export function merge(base, mine, theirs, clashes, pointer = "") {
  if (same(mine, base)) return theirs;
  if (same(theirs, base) || same(mine, theirs)) return mine;
  const open = [mine, theirs].every((side) => side && typeof side === "object" && !Array.isArray(side));
  if (!open) {
    clashes.push(pointer);
    return theirs;
  }
  const keys = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return Object.fromEntries([...keys].map((key) => [key, merge(base?.[key], mine[key], theirs[key], clashes, `${pointer}/${key}`)]));
}
