// The steps of the referral form, and the step of each field.

/** @type {{key: string, label: string, fields: string[]}[]} */
export const STEPS = [
  { key: "patient", label: "Patient", fields: ["/patient"] },
  { key: "diagnosis", label: "Diagnosis", fields: ["/clinical"] },
  { key: "therapy", label: "Prior lines of therapy", fields: ["/clinical/prior_lines"] },
  { key: "center", label: "Treatment center", fields: ["/product_id", "/center_id", "/urgency", "/referred_on"] },
  {
    key: "coverage",
    label: "Insurance and consent",
    fields: ["/insurance", "/consent_to_share", "/none_because", "/note"],
  },
  { key: "provider", label: "Referring provider", fields: ["/referring_provider"] },
  { key: "review", label: "Review and submit", fields: [] },
];

/** The step that shows a field: the step with the longest matching prefix of its pointer. @param {string} pointer */
export function findStep(pointer) {
  const [best] = STEPS.flatMap(({ key, fields }) => fields.map((field) => ({ key, field })))
    .filter(({ field }) => pointer === field || pointer.startsWith(`${field}/`))
    .sort((a, b) => b.field.length - a.field.length);
  return best ? best.key : "review";
}
