// Labels for notices and for the status of their emails. All functions are pure.
import { formatClock, formatDay, formatElapsed } from "../platform/time.js";

/** The categories whose emails a member can turn off, with a description. @type {Record<string, [string, string]>} */
export const CATEGORIES = {
  journey: [
    "Status updates",
    "The other organization updated a status, placed a hold, reported care, or corrected an entry.",
  ],
  window: [
    "Monitoring window",
    "Monitoring milestones after infusion and the upcoming return to the referring provider.",
  ],
  overdue: ["Overdue", "A step, a return, or an acknowledgment is late."],
  follow_up: ["Follow-up", "Visits and check-ins after the return, up to year 15."],
  digest: ["Weekly digest", "Patients before infusion, by alias only. Sign in for details."],
  check_in: ["Day 1", "The day after infusion. A reminder of who to call; nothing is due."],
};

/** @param {string} category */
export const getCategoryName = (category) => CATEGORIES[category]?.[0] || "Critical";

/** Why a scheduled notice was skipped. @type {Record<string, string>} */
const SKIP_REASONS = {
  closed: "the referral was closed",
  superseded: "its date changed",
  on_hold: "the referral was on hold",
  handed_back: "the patient was already back with the practice",
  satisfied: "it was already done",
  overtaken: "its date had passed before the infusion was reported; a later notice covers it",
};

/** @type {Record<string, string>} */
const NOTICE_STATE_LABELS = { planned: "Scheduled", told: "Sent", skipped: "Skipped", parked: "Failed to send" };

/** Why an email was not sent. @type {Record<string, string>} */
const EMAIL_SKIP_REASONS = {
  read: "already opened in the dashboard",
  turned_off: "email turned off in notification settings",
  superseded: "a later invitation replaced it",
  not_visible: "they no longer have access to the referral",
  ended: "the referral has ended since",
  not_a_member: "their account is no longer active",
};

/** @type {Record<string, string>} */
const EMAIL_STATUS_LABELS = {
  claimed: "sending email",
  bounced: "email bounced",
  complained: "email was marked as spam",
  suppressed: "not emailed: this address bounces",
  failed: "email failed to send",
  not_wanted: "dashboard only",
};

/** "2 hours ago", or "just now". @param {string} instant @param {number} [now] */
export const formatAgo = (instant, now = Date.now()) =>
  now - Date.parse(instant) < 60_000 ? "just now" : `${formatElapsed(instant, now)} ago`;

/** "7:00 AM CST", with the date if it is not today. @param {string} instant @param {string} zone @param {number} now */
function formatClockOrDay(instant, zone, now) {
  const time = formatClock(instant, zone);
  const day = formatDay(instant, zone);
  return day === formatDay(new Date(now).toISOString(), zone) ? time : `${day}, ${time}`;
}

/**
 * The status of an email.
 *
 * @param {{state: string, at: string | null, why: string | null}} mail
 * @param {string} zone
 * @param {number} [now]
 */
export function describeEmail({ state, at, why }, zone, now = Date.now()) {
  if (at && state === "planned")
    return Date.parse(at) > now ? `email scheduled for ${formatClockOrDay(at, zone, now)}` : "sending email";
  if (at && state === "sent") return `emailed ${formatAgo(at, now)}`;
  if (at && state === "delivered") return `email delivered ${formatAgo(at, now)}`;
  if (state === "skipped") return `not emailed: ${EMAIL_SKIP_REASONS[why || ""]}`;
  return EMAIL_STATUS_LABELS[state];
}

/** Whether a notice is about an overdue step. @param {{rule: string}} notice */
export const isOverdueNotice = ({ rule }) => rule.startsWith("clock_");

/** Why a scheduled notice was skipped. @param {string} why */
export const describeSkipReason = (why) => SKIP_REASONS[why];

/** "Scheduled", "Sent", "Skipped: the referral was closed". @param {{state: string, why: string | null}} notice */
export function describeNoticeState({ state, why }) {
  if (state === "planned" && why) return "Scheduled, if the referral resumes by then";
  return NOTICE_STATE_LABELS[state] + (why ? `: ${SKIP_REASONS[why]}` : "");
}
