// Converts a transition-of-care summary between the form and the API. All functions are pure.
import { getAt, prune, setAt, toPhoneNumber } from "../platform/json_document.js";

const NUMBER_FIELDS = [
  "/crs/worst_grade",
  "/icans/worst_grade",
  "/counts/neutrophils_per_ul",
  "/counts/hemoglobin_g_dl",
  "/counts/platelets_per_ul",
  "/immunoglobulin/igg_mg_dl",
];

// For these lists, an empty list means "none", which is an answer.
const LISTS_WITH_NONE = ["prophylaxis", "care_points"];

/** The request body from the values of the form. @param {any} values @returns {any} */
export function toPackage(values) {
  let body = prune(values) || {};
  for (const name of LISTS_WITH_NONE) {
    if (Array.isArray(values[name]) && values[name].length === 0) body = { ...body, [name]: [] };
  }
  for (const pointer of NUMBER_FIELDS) {
    const typed = getAt(body, pointer);
    if (typed !== undefined && typed !== "" && Number.isFinite(Number(typed)))
      body = setAt(body, pointer, Number(typed));
  }
  return body.center_phone ? { ...body, center_phone: toPhoneNumber(body.center_phone) } : body;
}
