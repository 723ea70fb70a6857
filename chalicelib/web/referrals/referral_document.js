// Converts a referral between the form and the API. All functions are pure.
import { getAt, isSame, prune, setAt, toPhoneNumber } from "../platform/json_document.js";

/** @typedef {Record<string, any>} Values */

const SECTIONS = [
  "patient",
  "clinical",
  "product_id",
  "center_id",
  "urgency",
  "referring_provider",
  "insurance",
  "consent_to_share",
  "none_because",
  "note",
  "referred_on",
  "center_contact",
];

/** The sections of a referral as the API returned it. @param {Values} referral @returns {Values} */
export function pickSections(referral) {
  /** @type {Values} */
  const flat = { ...referral, center_id: referral.center?.center_id };
  return Object.fromEntries(SECTIONS.map((name) => [name, flat[name] ?? undefined]));
}

/** @type {[string, (typed: string) => string][]} */
const NORMALIZERS = [
  ["/patient/phone", toPhoneNumber],
  ["/patient/caregiver/phone", toPhoneNumber],
  ["/referring_provider/phone", toPhoneNumber],
  ["/center_contact/phone", toPhoneNumber],
  ["/clinical/icd10", (typed) => typed.toUpperCase()],
];

/** The request body from the values of the form. @param {Values} values @returns {Values} */
export function toRequestBody(values) {
  let body = prune(Object.fromEntries(SECTIONS.map((name) => [name, values[name]]))) || {};
  for (const [pointer, normalize] of NORMALIZERS) {
    const typed = getAt(body, pointer);
    if (typed) body = setAt(body, pointer, normalize(typed));
  }
  const lines = body.clinical?.prior_lines;
  if (!lines) return body;
  return setAt(
    body,
    "/clinical/prior_lines",
    lines.map((/** @type {object} */ line, /** @type {number} */ index) => ({ ...line, line: index + 1 })),
  );
}

// The API has these sections in every referral, so an emptied one is an empty object.
const LASTING_SECTIONS = ["patient", "clinical", "referring_provider"];

/** The sections that differ from the server's version. An emptied optional section becomes null. @param {Values} values @param {Values} base */
export function listChanges(values, base) {
  const body = toRequestBody(values);
  const old = toRequestBody(base);
  const names = SECTIONS.filter((name) => !isSame(body[name], old[name]));
  return Object.fromEntries(names.map((name) => [name, body[name] ?? (LASTING_SECTIONS.includes(name) ? {} : null)]));
}
