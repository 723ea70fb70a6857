// A hand-back package between the form and the API. Everything here is pure.
import { getAt, prune, setAt, toPhoneNumber } from "../platform/json_document.js";

const FIGURES = [
  "/crs/worst_grade",
  "/icans/worst_grade",
  "/counts/neutrophils_per_ul",
  "/counts/hemoglobin_g_dl",
  "/counts/platelets_per_ul",
  "/immunoglobulin/igg_mg_dl",
];

// An empty list of these says that there is none, which is an answer.
const EMPTY_BY_ANSWER = ["prophylaxis", "care_points"];

/** What the API takes, from what the form holds. @param {any} values @returns {any} */
export function toPackage(values) {
  let body = prune(values) || {};
  for (const name of EMPTY_BY_ANSWER) {
    if (Array.isArray(values[name]) && values[name].length === 0) body = { ...body, [name]: [] };
  }
  for (const pointer of FIGURES) {
    const typed = getAt(body, pointer);
    if (typed !== undefined && typed !== "" && Number.isFinite(Number(typed)))
      body = setAt(body, pointer, Number(typed));
  }
  return body.center_phone ? { ...body, center_phone: toPhoneNumber(body.center_phone) } : body;
}
