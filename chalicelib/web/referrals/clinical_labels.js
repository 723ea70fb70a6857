// Words for what a screen asks beside the rest of a referral, and how a referral shows it.
import { formatYesNo, getLabel } from "../platform/labels.js";
import { formatDate } from "../platform/time.js";

/** @type {[string, string][]} */
export const AGENTS = [
  ["bendamustine", "Bendamustine"],
  ["cytotoxic_chemotherapy", "Chemotherapy"],
  ["corticosteroid", "Corticosteroids"],
  ["pembrolizumab", "Pembrolizumab"],
];

/** @type {[string, string, string][]} */
export const LABS = [
  ["lvef_percent", "LVEF", "percent"],
  ["creatinine_clearance_ml_min", "Creatinine clearance", "mL/min"],
  ["bilirubin_x_uln", "Bilirubin", "times the upper limit of normal"],
  ["alt_or_ast_x_uln", "ALT or AST, the higher", "times the upper limit of normal"],
  ["absolute_lymphocytes_per_ul", "Lymphocytes", "per microliter"],
];

/** What was entered for a screen, as terms and values; nothing of what was not. @param {any} clinical @returns {[string, string][]} */
export function listScreenFacts({ transplant, lenalidomide_refractory, labs, last_doses, screened }) {
  /** @type {[string, string][]} */
  const facts = [];
  if (transplant?.kind)
    facts.push([
      "Stem cell transplant",
      [getLabel(transplant.kind), formatDate(transplant.on)].filter(Boolean).join(", "),
    ]);
  if (lenalidomide_refractory != null) facts.push(["Refractory to lenalidomide", formatYesNo(lenalidomide_refractory)]);
  for (const [lab, label, unit] of LABS) if (labs?.[lab] != null) facts.push([label, `${labs[lab]} ${unit}`]);
  for (const { agent, given, last_on } of last_doses || []) {
    const label = AGENTS.find(([code]) => code === agent)?.[1];
    facts.push([`${label}, last dose`, given === false ? "Never given" : formatDate(last_on)]);
  }
  if (screened)
    facts.push(["Screened", `${formatDate(screened.screened_on)}, catalogue ${screened.catalogue_version}`]);
  return facts;
}
