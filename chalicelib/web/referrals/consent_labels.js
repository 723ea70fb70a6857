// What a consent to share says, in words.
import { formatDate } from "../platform/time.js";

/** @type {Record<string, string>} */
export const BASES = {
  patient_consent: "The patient's consent",
  treatment: "For treatment, without a separate consent",
  state_law: "State law",
};

/** @type {Record<string, string>} */
export const SCOPES = {
  all_records: "All records about this treatment",
  referral_packet: "Only this referral",
  except_sensitive: "Without specially protected records",
};

// After how many days a consent counts as old. The server decides; the form only asks early.
const OLD_AFTER_DAYS = 365;

/** Whether a date is so old that the user is asked to confirm it. @param {string | null | undefined} day @param {number} [now] */
export const isOldConsent = (day, now = Date.now()) => !!day && now - Date.parse(day) > OLD_AFTER_DAYS * 86_400_000;

/** The facts of a consent, as terms and values. @param {any} consent @param {string} [state] @returns {[string, string][]} */
export function listConsentFacts(consent, state) {
  const recorded = consent?.given || ["treatment", "state_law"].includes(consent?.basis);
  if (!recorded && !consent?.withdrawn_on) return [["Consent", "Not recorded yet"]];
  /** @type {[string, string | undefined][]} */
  const facts = [
    ["Withdrawn", consent.withdrawn_on && formatDate(consent.withdrawn_on)],
    ["Basis", BASES[consent.basis] ?? BASES.patient_consent],
    ["Date", formatDate(consent.on)],
    ["Scope", SCOPES[consent.scope]],
    [state === "expired" ? "Ended" : "Ends", consent.expires_on && formatDate(consent.expires_on)],
  ];
  return /** @type {[string, string][]} */ (facts.filter(([, value]) => value));
}
