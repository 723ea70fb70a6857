// Labels for the fields that only the eligibility check asks for, and how a referral shows them.
import { formatYesNo, getLabel } from "../platform/labels.js";
import { formatDate } from "../platform/time.js";

/** Treatments that matter before leukapheresis; the last part lists the diseases in which they are used, if not all. @type {[string, string, string[]?][]} */
export const AGENTS = [
  ["bendamustine", "Bendamustine"],
  ["cytotoxic_chemotherapy", "Chemotherapy"],
  ["corticosteroid", "Corticosteroids"],
  ["immunosuppressant", "Immunosuppression"],
  ["alemtuzumab", "Alemtuzumab"],
  ["antithymocyte_globulin", "Antithymocyte globulin (ATG)"],
  ["cladribine", "Cladribine"],
  ["anti_cd38", "Anti-CD38 antibody", ["MM"]],
  ["proteasome_inhibitor", "Proteasome inhibitor", ["MM", "MCL"]],
  ["bcma_bispecific", "BCMA bispecific antibody", ["MM"]],
  ["asparaginase", "Asparaginase", ["B_ALL"]],
  ["donor_lymphocytes", "Donor lymphocytes"],
  ["radiotherapy", "Radiotherapy"],
  ["pembrolizumab", "Pembrolizumab"],
];

/** The histologies of each disease. The server has the same list; Other and Unknown end each. @type {Record<string, [string, string][]>} */
const HISTOLOGIES = {
  LBCL: [
    ["DLBCL_NOS", "DLBCL, not otherwise specified"],
    ["DLBCL_FROM_FL", "DLBCL transformed from follicular lymphoma"],
    ["DLBCL_TRANSFORMED", "DLBCL transformed from indolent lymphoma"],
    ["HIGH_GRADE", "High-grade B-cell lymphoma"],
    ["PMBCL", "Primary mediastinal large B-cell lymphoma (PMBCL)"],
    ["FL_3B", "Follicular lymphoma, grade 3B"],
    ["T_CELL_RICH", "T-cell/histiocyte-rich large B-cell lymphoma"],
    ["EBV_POSITIVE", "EBV-positive DLBCL"],
    ["RICHTER", "Richter transformation of CLL or SLL"],
    ["PRIMARY_CNS", "Primary CNS lymphoma"],
  ],
  FL: [
    ["FL_1_2", "Follicular lymphoma, grade 1 or 2"],
    ["FL_3A", "Follicular lymphoma, grade 3A"],
    ["FL_3B", "Follicular lymphoma, grade 3B"],
    ["FL_NOT_GRADED", "Follicular lymphoma, not graded"],
  ],
  MCL: [
    ["MCL_CLASSIC", "Mantle cell lymphoma, classic"],
    ["MCL_BLASTOID", "Mantle cell lymphoma, blastoid or pleomorphic"],
  ],
  MZL: [
    ["NODAL_MZL", "Nodal marginal zone lymphoma"],
    ["EXTRANODAL_MZL", "Extranodal marginal zone lymphoma (MALT)"],
    ["SPLENIC_MZL", "Splenic marginal zone lymphoma"],
  ],
  CLL_SLL: [
    ["CLL", "Chronic lymphocytic leukemia (CLL)"],
    ["SLL", "Small lymphocytic lymphoma (SLL)"],
    ["RICHTER", "Richter transformation of CLL or SLL"],
  ],
  MM: [
    ["MULTIPLE_MYELOMA", "Multiple myeloma"],
    ["LIGHT_CHAIN_MYELOMA", "Light chain multiple myeloma"],
    ["NON_SECRETORY_MYELOMA", "Nonsecretory multiple myeloma"],
    ["MYELOMA_WITH_AMYLOIDOSIS", "Multiple myeloma with AL amyloidosis"],
    ["PLASMA_CELL_LEUKEMIA", "Plasma cell leukemia"],
  ],
  B_ALL: [
    ["B_ALL_PH_NEGATIVE", "B-ALL, Philadelphia chromosome negative"],
    ["B_ALL_PH_POSITIVE", "B-ALL, Philadelphia chromosome positive"],
    ["B_LYMPHOBLASTIC_LYMPHOMA", "B-lymphoblastic lymphoma"],
    ["MIXED_PHENOTYPE", "Mixed phenotype acute leukemia"],
  ],
};

const HISTOLOGY_NAMES = new Map(Object.values(HISTOLOGIES).flat());

/** The codes and names to choose from; none before the disease is known. @param {string} disease @returns {[string, string][]} */
export const listHistologies = (disease) =>
  HISTOLOGIES[disease] ? [...HISTOLOGIES[disease], ["OTHER", "Other"], ["UNKNOWN", "Unknown"]] : [];

/** The name of a histology; free text of an earlier release as words. @param {string | null | undefined} code */
export const formatHistology = (code) => HISTOLOGY_NAMES.get(code ?? "") ?? getLabel(code);

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
export function listEligibilityFacts({
  transplant,
  lenalidomide_refractory,
  labs,
  last_doses,
  last_imaging_on,
  screened,
}) {
  /** @type {[string, string][]} */
  const facts = [];
  if (transplant?.kind)
    facts.push([
      "Stem cell transplant",
      [getLabel(transplant.kind), formatDate(transplant.on)].filter(Boolean).join(", "),
    ]);
  if (lenalidomide_refractory != null) facts.push(["Refractory to lenalidomide", formatYesNo(lenalidomide_refractory)]);
  for (const [lab, label, unit] of LABS) if (labs?.[lab] != null) facts.push([label, formatLab(labs[lab], unit)]);
  for (const { agent, given, last_on, daily_mg } of last_doses || []) {
    const label = AGENTS.find(([code]) => code === agent)?.[1];
    const dose = [formatDate(last_on), daily_mg && `${daily_mg} mg prednisone a day`].filter(Boolean).join(", ");
    facts.push([`${label}: date of last dose`, given === false ? "Never given" : dose]);
  }
  if (last_imaging_on) facts.push(["Last imaging", formatDate(last_imaging_on)]);
  if (screened) facts.push(["Eligibility check", formatDate(screened.screened_on)]);
  return facts;
}
