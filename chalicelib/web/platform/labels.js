// Words for the codes of the API. Stages and their labels always come from the server.

/** @type {Record<string, string>} */
export const DISEASES = {
  LBCL: "Large B-cell lymphoma",
  FL: "Follicular lymphoma",
  MCL: "Mantle cell lymphoma",
  MZL: "Marginal zone lymphoma",
  CLL_SLL: "CLL / SLL",
  MM: "Multiple myeloma",
  B_ALL: "B-cell acute lymphoblastic leukemia",
};

/** @type {Record<string, string>} */
export const DRUG_CLASSES = {
  anti_cd20: "Anti-CD20",
  anthracycline: "Anthracycline",
  chemoimmunotherapy: "Chemoimmunotherapy",
  chemotherapy: "Chemotherapy",
  btk_inhibitor: "BTK inhibitor",
  bcl2_inhibitor: "BCL-2 inhibitor",
  tyrosine_kinase_inhibitor: "Tyrosine kinase inhibitor",
  imid: "IMiD",
  proteasome_inhibitor: "Proteasome inhibitor",
  corticosteroid: "Corticosteroid",
  anti_cd38: "Anti-CD38",
  anti_cd19: "Anti-CD19",
  anti_bcma: "Anti-BCMA",
  bispecific_antibody: "Bispecific antibody",
  stem_cell_transplant: "Stem cell transplant",
  other: "Other",
};

/** Asked of every patient, for discussion alone. */
/** @type {Record<string, string>} */
export const FLAGS = {
  active_infection: "Active infection",
  cns_involvement: "CNS involvement",
  autoimmune: "Autoimmune disease",
  hepatitis_or_hiv: "Hepatitis B, C or HIV",
  prior_car_t: "Earlier CAR T",
  seizure_disorder: "Seizure disorder",
};

/** The phases in the order of the journey, and as the worklist names them. */
/** @type {Record<string, string>} */
export const PHASES = {
  eligibility: "Drafts",
  referral: "Referral",
  consultation: "Consultation",
  collection: "Leukapheresis",
  manufacturing: "Manufacturing",
  treatment: "Treatment",
  monitoring: "Monitoring",
  follow_up: "Follow-up",
  closed: "Closed",
};

/** What somebody has to look at, in the order in which a team looks. */
/** @type {Record<string, string>} */
export const WORKLISTS = {
  needs_my_action: "Needs my action",
  needs_information: "Needs information",
  awaiting_booking: "Awaiting booking",
  no_show_or_cancelled: "No-show",
  update_overdue: "Update overdue",
  monitoring_ends_soon: "Window ends soon",
  handback_awaiting_acknowledgement: "Hand-back ready",
  returned_or_declined: "Returned",
  changed_since_seen: "Changed since I looked",
};

/** @type {Record<string, string>} */
const OTHER_LABELS = {
  practice: "Referring practice",
  center: "Treatment center",
  center_feed: "Center's system",
  system: "automatic",
  medicare_ffs: "Medicare (fee for service)",
  medicare_advantage: "Medicare Advantage",
  va: "VA",
  tricare: "TRICARE",
  sca_not_reached: "No single case agreement",
  not_eligible: "The center's criteria are not met",
  zip: "ZIP code",
  near: "ZIP code",
  npi: "NPI",
  icd10: "ICD-10-CM code",
  on: "Date of consent",
  event_on: "Relapse or progression",
  of: "Number of parts",
};

/** A code in words: known ones by name, others read as they are spelled. @param {string | null | undefined} code */
export function getLabel(code) {
  if (!code) return "";
  const known =
    DISEASES[code] || DRUG_CLASSES[code] || FLAGS[code] || PHASES[code] || WORKLISTS[code] || OTHER_LABELS[code];
  return known || (code[0].toUpperCase() + code.slice(1)).replaceAll("_", " ");
}

/** What the API says of a field, as a sentence that names it. @param {{pointer: string, code: string, message: string}} error */
export function describeFieldError({ pointer, code, message }) {
  if (code === "missing" && message !== "This field is required.") return message;
  const name = pointer.split("/").findLast((part) => part && !/^\d+$/.test(part));
  return `${getLabel(name)}: ${message}`;
}

/** Yes, no, or not known. @param {boolean | null | undefined} value */
export const formatYesNo = (value) => (value == null ? "" : value ? "Yes" : "No");

/** @param {{given_name?: string, family_name?: string}} person */
export const formatFullName = (person) => [person.given_name, person.family_name].filter(Boolean).join(" ");

/** US numbers as people write them, others as they came. @param {string | null | undefined} number */
export function formatPhone(number) {
  const us = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number || "");
  return us ? `(${us[1]}) ${us[2]}-${us[3]}` : number || "";
}
