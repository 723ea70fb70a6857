// Plain JSON data: reading and writing by JSON pointer, leaving out what is empty, and merging
// two people's changes. Everything here is pure.

const splitPointer = (/** @type {string} */ pointer) => pointer.slice(1).split("/");

/** @param {any} values @param {string} pointer */
export const getAt = (values, pointer) => splitPointer(pointer).reduce((value, key) => value?.[key], values);

/** @param {any} values @param {string} pointer @param {any} value @returns {any} a changed copy */
export function setAt(values, pointer, value) {
  const [key, ...rest] = splitPointer(pointer);
  const copy = Array.isArray(values) ? [...values] : { ...values };
  copy[key] = rest.length ? setAt(copy[key] ?? {}, `/${rest.join("/")}`, value) : value;
  return copy;
}

/** Without blanks and without what holds nothing but blanks; false and 0 are answers. @param {any} value @returns {any} */
export function prune(value) {
  if (typeof value === "string") return value.trim() || undefined;
  if (Array.isArray(value)) {
    const kept = value.map(prune).filter((each) => each !== undefined);
    return kept.length ? kept : undefined;
  }
  if (value && typeof value === "object") {
    const kept = Object.entries(value)
      .map(([key, each]) => [key, prune(each)])
      .filter(([, each]) => each !== undefined);
    return kept.length ? Object.fromEntries(kept) : undefined;
  }
  return value ?? undefined;
}

/** "(713) 555-0142" as the API wants it; what is not a US number goes as it is. @param {string} typed */
export function toPhoneNumber(typed) {
  const bare = typed.replace(/[\s().-]/g, "");
  return /^1?\d{10}$/.test(bare) ? `+1${bare.slice(-10)}` : bare;
}

/** @param {any} left @param {any} right */
export const isSame = (left, right) => JSON.stringify(sortKeys(prune(left))) === JSON.stringify(sortKeys(prune(right)));

/** @param {any} value @returns {any} */
function sortKeys(value) {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
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
  if (isSame(mine, base)) return theirs;
  if (isSame(theirs, base) || isSame(mine, theirs)) return mine;
  const open = [mine, theirs].every((side) => side && typeof side === "object" && !Array.isArray(side));
  if (!open) {
    clashes.push(pointer);
    return theirs;
  }
  const keys = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, merge(base?.[key], mine[key], theirs[key], clashes, `${pointer}/${key}`)]),
  );
}
