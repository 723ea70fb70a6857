// Values of a draft that the server refused. They are sent again as they were typed, so that none is lost.
// All functions are pure.
import { getAt, isSame, prune, setAt } from "../platform/json_document.js";

/**
 * @typedef {import("./referral_document.js").Values} Values
 * @typedef {{pointer: string, value: any}} Unfinished
 * @typedef {{pointer: string, message: string}} Refusal
 */

/** The values of the form: those of the server, with what is unfinished in its place. @param {Values} values @param {Unfinished[]} unfinished @returns {Values} */
export const addUnfinished = (values, unfinished) =>
  unfinished.reduce((all, { pointer, value }) => setAt(all, pointer, value), values);

/**
 * The unfinished values, and all others as the server accepts them. A refused value does not change what the
 * server has in its place.
 *
 * @param {Values} values what was typed @param {Values} stored what the server has @param {string[]} parts pointers
 */
export function separateUnfinished(values, stored, parts) {
  const unfinished = [...parts]
    .sort()
    .map((pointer) => ({ pointer, value: prune(getAt(values, pointer)) }))
    .filter(({ value }) => value !== undefined);
  const accepted = parts.reduce((rest, pointer) => setAt(rest, pointer, getAt(stored, pointer)), values);
  return { accepted, unfinished };
}

/** The parts whose value is still the one that was refused. @param {Values} values @param {Unfinished[]} unfinished */
export const listStillUnfinished = (values, unfinished) =>
  unfinished.filter(({ pointer, value }) => isSame(getAt(values, pointer), value)).map(({ pointer }) => pointer);

/**
 * The part of a form that cannot be saved because of an error: the field itself, its whole list, or, if the
 * field is empty, what it belongs to.
 *
 * @param {Values} values @param {string} pointer
 */
function findRefusedPart(values, pointer) {
  const steps = pointer.slice(1).split("/");
  const index = steps.findIndex((step) => /^\d+$/.test(step));
  let part = index < 0 ? steps : steps.slice(0, index);
  while (part.length > 1 && prune(getAt(values, `/${part.join("/")}`)) === undefined) part = part.slice(0, -1);
  return `/${part.join("/")}`;
}

/** @param {string} pointer @param {string} part */
const isWithin = (pointer, part) => pointer === part || pointer.startsWith(`${part}/`);

/**
 * The parts to hold back after one more refusal. If that does not help, whole sections are held back.
 *
 * @param {Values} values what was typed @param {string[]} parts what was held back
 * @param {Refusal[]} errors
 */
export function addRefusedParts(values, parts, errors) {
  const found = errors.map(({ pointer }) => findRefusedPart(values, pointer));
  const added = found.every((part) => parts.includes(part))
    ? errors.map(({ pointer }) => `/${pointer.split("/")[1]}`)
    : found;
  const all = [...new Set([...parts, ...added])];
  return all.filter((part) => !all.some((other) => other !== part && isWithin(part, other)));
}

/** The newest error of each field that is in one of the parts. @param {Refusal[]} errors @param {string[]} parts */
export function listRefusals(errors, parts) {
  const newest = new Map(errors.map((error) => [error.pointer, error]));
  return [...newest.values()].filter(({ pointer }) => parts.some((part) => isWithin(pointer, part)));
}
