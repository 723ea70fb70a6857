// Labels for the codes of the API. The server sends the labels of stages.

/** @type {Record<string, string>} */
export const DISEASES = {
  LBCL: "Large B-cell lymphoma",
  FL: "Follicular lymphoma",
  MCL: "Mantle cell lymphoma",
  MZL: "Marginal zone lymphoma",
  CLL_SLL: "Chronic lymphocytic leukemia or small lymphocytic lymphoma (CLL/SLL)",
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
  imid: "Immunomodulatory drug (IMiD)",
  proteasome_inhibitor: "Proteasome inhibitor",
  corticosteroid: "Corticosteroid",
  anti_cd38: "Anti-CD38",
  anti_cd19: "Anti-CD19",
  anti_bcma: "Anti-BCMA",
  bispecific_antibody: "Bispecific antibody",
  stem_cell_transplant: "Stem cell transplant",
  other: "Other",
};

/** Questions about every patient, only for discussion with the center. @type {Record<string, string>} */
export const FLAGS = {
  active_infection: "Active infection",
  cns_involvement: "CNS involvement",
  autoimmune: "Autoimmune disease",
  hepatitis_or_hiv: "Hepatitis B, hepatitis C, or HIV",
  prior_car_t: "Prior CAR T or same-target therapy",
  seizure_disorder: "Seizure disorder",
  pregnancy: "Pregnancy",
  caregiver_available: "Caregiver available",
  can_stay_nearby: "Able to stay near the center",
};

/** The phases in their order, with the names that the worklist uses. @type {Record<string, string>} */
export const PHASES = {
  eligibility: "Draft referrals",
  referral: "Referral",
  consultation: "Consultation",
  collection: "Leukapheresis",
  manufacturing: "Manufacturing",
  treatment: "Treatment",
  monitoring: "Monitoring",
  follow_up: "Follow-up",
  closed: "Closed",
};

/** The lists of referrals that need attention, in the order in which a team works through them. @type {Record<string, string>} */
export const WORKLISTS = {
  needs_action: "Needs action",
  new_referrals: "New",
  all_open: "All open",
  needs_my_action: "Needs my action",
  late: "Late",
  update_missing: "Update missing",
  needs_information: "Needs information",
  awaiting_booking: "Consult to be scheduled",
  no_show_or_cancelled: "No-show or canceled",
  monitoring_ends_soon: "Monitoring ends soon",
  handback_awaiting_acknowledgement: "Return awaiting acknowledgment",
  returned_or_declined: "Declined, deferred, or redirected",
  changed_since_seen: "Changed since I looked",
};

/** @type {Record<string, string>} */
const OTHER_LABELS = {
  practice: "Referring practice",
  center: "Treatment center",
  center_feed: "Treatment center's system",
  booking: "Booking of a published time",
  system: "Automatic",
  medicare_ffs: "Original Medicare (fee-for-service)",
  medicare_advantage: "Medicare Advantage",
  va: "VA",
  tricare: "TRICARE",
  sca_not_reached: "Single case agreement not reached",
  not_eligible: "Does not meet the center's criteria",
  zip: "ZIP code",
  near: "ZIP code",
  npi: "NPI",
  icd10: "ICD-10-CM code",
  on: "Date",
  event_on: "Date of relapse or progression",
  of: "Total number of infusions",
  given_name: "First name",
  family_name: "Last name",
  birth_date: "Date of birth",
  mrn: "MRN",
  member_id: "Member ID",
};

/** The label of a code. An unknown code becomes words: "second_line" reads "Second line". @param {string | null | undefined} code */
export function getLabel(code) {
  if (!code) return "";
  const known =
    DISEASES[code] || DRUG_CLASSES[code] || FLAGS[code] || PHASES[code] || WORKLISTS[code] || OTHER_LABELS[code];
  return known || (code[0].toUpperCase() + code.slice(1)).replaceAll("_", " ");
}

/** "1 center", "2 centers", "1,200 centers". @param {number} count @param {string} noun */
export const formatCount = (count, noun) => `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;

/** "/patient/caregiver/phone" as "caregiver's phone". @param {string} pointer */
export function formatFieldName(pointer) {
  const [parent, name] = ["", ...pointer.split("/").filter((part) => part && !/^\d+$/.test(part))].slice(-2);
  const label = getLabel(name);
  const text = /^[A-Z]{2}/.test(label) ? label : label[0].toLowerCase() + label.slice(1);
  if (parent === "consent_to_share" && name === "on") return "date of consent";
  return parent === "caregiver" ? `caregiver's ${text}` : text;
}

/** A field error of the API as a full sentence, without names or codes of the API. @param {{pointer: string, code: string, message: string}} error */
export function describeFieldError({ pointer, code, message }) {
  return code === "missing" && message === "This field is required."
    ? `Enter the ${formatFieldName(pointer)}.`
    : message;
}

/** Yes, No, or an empty text if the answer is unknown. @param {boolean | null | undefined} value */
export const formatYesNo = (value) => (value == null ? "" : value ? "Yes" : "No");

/** @param {{given_name?: string | null, family_name?: string | null}} person */
export const formatFullName = (person) =>
  [person.given_name, person.family_name].filter(Boolean).join(" ") || "No name yet";

/** A US number as "(713) 555-0142 ext. 12". Other numbers stay as they are. @param {string | null | undefined} stored */
export function formatPhone(stored) {
  const [number, extension] = (stored || "").split(";ext=");
  const us = /^(?:\+1|1-)(\d{3})-?(\d{3})-?(\d{4})$/.exec(number);
  return (us ? `(${us[1]}) ${us[2]}-${us[3]}` : number) + (extension ? ` ext. ${extension}` : "");
}

const KEYPAD = "22233344455566677778889999";

/** The link to call a number (RFC 3966); "1-800-FDA-1088" has letters of the phone's keypad. @param {string} stored */
export function buildPhoneHref(stored) {
  const [number, extension] = stored.split(";ext=");
  const digits = number.replace(/[A-Z]/g, (letter) => KEYPAD[letter.charCodeAt(0) - 65]).replace(/\D/g, "");
  return `tel:+${digits.length === 10 ? "1" : ""}${digits}${extension ? `;ext=${extension}` : ""}`;
}
