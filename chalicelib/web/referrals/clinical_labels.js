// Labels for the fields that only the eligibility check asks for, and how a referral shows them.
import { formatYesNo, getLabel } from "../platform/labels.js";
import { formatDate } from "../platform/time.js";

/** @type {[string, string][]} */
export const AGENTS = [
  ["bendamustine", "Bendamustine"],
  ["cytotoxic_chemotherapy", "Chemotherapy"],
  ["corticosteroid", "Corticosteroids"],
  ["pembrolizumab", "Pembrolizumab"],
];

/** The histologies that labels distinguish, by disease. @type {Record<string, [string, string][]>} */
export const HISTOLOGIES = {
  LBCL: [
    ["DLBCL_NOS", "DLBCL, not otherwise specified"],
    ["DLBCL_TRANSFORMED", "DLBCL transformed from indolent lymphoma"],
    ["HIGH_GRADE", "High-grade B-cell lymphoma"],
    ["PMBCL", "Primary mediastinal large B-cell lymphoma (PMBCL)"],
    ["FL_3B", "Follicular lymphoma, grade 3B"],
    ["PRIMARY_CNS", "Primary CNS lymphoma"],
    ["OTHER", "Other"],
  ],
};

/** @type {[string, string, string][]} */
export const LABS = [
  ["lvef_percent", "LVEF", "%"],
  ["creatinine_clearance_ml_min", "Creatinine clearance", "mL/min"],
  ["bilirubin_x_uln", "Bilirubin", "× upper limit of normal (ULN)"],
  ["alt_or_ast_x_uln", "ALT or AST (the higher value)", "× upper limit of normal (ULN)"],
  ["absolute_lymphocytes_per_ul", "Absolute lymphocyte count", "cells/µL"],
];

/** "55%", "1.2 × upper limit of normal (ULN)". @param {number} value @param {string} unit */
const formatLab = (value, unit) => `${value.toLocaleString("en-US")}${unit === "%" ? "" : " "}${unit}`;

/** The answers of an eligibility check, as terms and values, without empty answers. @param {any} clinical @returns {[string, string][]} */
export function listEligibilityFacts({ transplant, lenalidomide_refractory, labs, last_doses, screened }) {
  /** @type {[string, string][]} */
  const facts = [];
  if (transplant?.kind)
    facts.push([
      "Stem cell transplant",
      [getLabel(transplant.kind), formatDate(transplant.on)].filter(Boolean).join(", "),
    ]);
  if (lenalidomide_refractory != null) facts.push(["Refractory to lenalidomide", formatYesNo(lenalidomide_refractory)]);
  for (const [lab, label, unit] of LABS) if (labs?.[lab] != null) facts.push([label, formatLab(labs[lab], unit)]);
  for (const { agent, given, last_on } of last_doses || []) {
    const label = AGENTS.find(([code]) => code === agent)?.[1];
    facts.push([`${label}: date of last dose`, given === false ? "Never given" : formatDate(last_on)]);
  }
  if (screened) facts.push(["Eligibility check", formatDate(screened.screened_on)]);
  return facts;
}
