// Plain JSON data: read and write by JSON pointer, remove empty values, and merge the changes of
// two people. All functions are pure.

const splitPointer = (/** @type {string} */ pointer) => pointer.slice(1).split("/");

/** @param {any} values @param {string} pointer */
export const getAt = (values, pointer) => splitPointer(pointer).reduce((value, key) => value?.[key], values);

/** @param {any} values @param {string} pointer @param {any} value @returns {any} a copy with the change */
export function setAt(values, pointer, value) {
  const [key, ...rest] = splitPointer(pointer);
  const copy = Array.isArray(values) ? [...values] : { ...values };
  copy[key] = rest.length ? setAt(copy[key] ?? {}, `/${rest.join("/")}`, value) : value;
  return copy;
}

/** A copy without empty values, and without objects and lists that have only empty values. `false` and 0 stay. @param {any} value @returns {any} */
export function prune(value) {
  if (typeof value === "string") return value.trim() || undefined;
  if (Array.isArray(value)) {
    const kept = value.map(prune).filter((item) => item !== undefined);
    return kept.length ? kept : undefined;
  }
  if (value && typeof value === "object") {
    const kept = Object.entries(value)
      .map(([key, item]) => [key, prune(item)])
      .filter(([, item]) => item !== undefined);
    return kept.length ? Object.fromEntries(kept) : undefined;
  }
  return value ?? undefined;
}

const EXTENSION = /(?:;\s*ext\s*=|,?\s*(?:extension|ext\.?:?|x|#))\s*(\d{1,7})\s*$/i;

/**
 * "(713) 555-0142 x12" in the API's format, "+17135550142;ext=12". Numbers from outside the US only lose their
 * punctuation.
 *
 * @param {string} typed
 */
export function toPhoneNumber(typed) {
  const extension = EXTENSION.exec(typed);
  const digits = (extension ? typed.slice(0, extension.index) : typed).replace(/[^+\w]/g, "");
  const number = /^1?\d{10}$/.test(digits) ? `+1${digits.slice(-10)}` : digits;
  return extension ? `${number};ext=${extension[1]}` : number;
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
 * Merge two versions, value by value. If only one version changed a value, the change is kept. If
 * both changed it, the server's value is kept and the pointer is added to `conflicts`.
 *
 * @param {any} base the version that both started from
 * @param {any} mine
 * @param {any} theirs the server's version
 * @param {string[]} conflicts
 * @param {string} [pointer]
 * @returns {any}
 */
export function merge(base, mine, theirs, conflicts, pointer = "") {
  if (isSame(mine, base)) return theirs;
  if (isSame(theirs, base) || isSame(mine, theirs)) return mine;
  const areObjects = [mine, theirs].every((value) => value && typeof value === "object" && !Array.isArray(value));
  if (!areObjects) {
    conflicts.push(pointer);
    return theirs;
  }
  const keys = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, merge(base?.[key], mine[key], theirs[key], conflicts, `${pointer}/${key}`)]),
  );
}
