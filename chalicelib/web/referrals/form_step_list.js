// The steps of the referral form, and which step a field of the API's body belongs to.

/** @type {{key: string, label: string, fields: string[]}[]} */
export const STEPS = [
  { key: "patient", label: "Patient", fields: ["/patient"] },
  { key: "diagnosis", label: "Diagnosis", fields: ["/clinical"] },
  { key: "therapy", label: "Prior therapy", fields: ["/clinical/prior_lines"] },
  { key: "center", label: "Treatment center", fields: ["/product_id", "/center_id", "/urgency"] },
  { key: "coverage", label: "Coverage and consent", fields: ["/insurance", "/consent_to_share", "/note"] },
  { key: "provider", label: "Referring provider", fields: ["/referring_provider"] },
  { key: "review", label: "Review and send", fields: [] },
];

/** The step that shows a field: the one that names the longest beginning of its pointer. @param {string} pointer */
export function findStep(pointer) {
  const [best] = STEPS.flatMap(({ key, fields }) => fields.map((field) => ({ key, field })))
    .filter(({ field }) => pointer === field || pointer.startsWith(`${field}/`))
    .sort((a, b) => b.field.length - a.field.length);
  return best ? best.key : "review";
}
