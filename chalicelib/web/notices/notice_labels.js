// Words for notices and for what became of their mails. Everything here is pure.
import { formatDay, formatElapsed } from "../platform/time.js";

/** What a member may choose the mail of, with what each contains. @type {Record<string, [string, string]>} */
export const CATEGORIES = {
  journey: ["Journey", "The other side moved a referral, put it on hold or corrected a report."],
  window: ["Monitoring window", "The days after an infusion: what ends today, and the hand-back that is near."],
  overdue: ["Overdue", "A step, a hand-back or an acknowledgement takes longer than it should."],
  follow_up: ["Follow-up", "Visits and check-ins after the hand-back, up to year 15."],
  digest: ["Weekly digest", "The patients before infusion, by nickname; what they need is in the dashboard."],
  check_in: ["Day 1", "The day after an infusion. Nothing is due; it says whom to call."],
};

/** @param {string} category */
export const getCategoryName = (category) => CATEGORIES[category]?.[0] || "Critical";

/** Why something of the plan was not told. @type {Record<string, string>} */
const SKIP_REASONS = {
  closed: "the journey had ended",
  superseded: "its day moved",
  on_hold: "the referral was on hold",
  handed_back: "the patient was back with the practice",
  satisfied: "it was done already",
  overtaken: "its day had passed when the infusion was reported; a later notice says more",
};

/** Why a mail was not sent. @type {Record<string, string>} */
const MAIL_SKIP_REASONS = {
  read: "opened before the mail was due",
  turned_off: "turned off meanwhile",
  not_visible: "the referral is not theirs to see any more",
  not_a_member: "the account is not active any more",
};

/** @type {Record<string, string>} */
const MAIL_STATUS_LABELS = {
  claimed: "being mailed",
  bounced: "mail came back",
  complained: "mail was reported as unwanted",
  suppressed: "not mailed: mail to this address comes back",
  failed: "mail could not be sent",
  not_wanted: "in the dashboard only",
};

/** "2 hours ago", or "just now". @param {string} instant @param {number} [now] */
export const formatAgo = (instant, now = Date.now()) =>
  now - Date.parse(instant) < 60_000 ? "just now" : `${formatElapsed(instant, now)} ago`;

/** "7:00 AM", with the day where it is another one. @param {string} instant @param {string} zone @param {number} now */
function formatClock(instant, zone, now) {
  const time = new Intl.DateTimeFormat("en-US", { timeZone: zone, hour: "numeric", minute: "2-digit" }).format(
    new Date(instant),
  );
  const day = formatDay(instant, zone);
  return day === formatDay(new Date(now).toISOString(), zone) ? time : `${day}, ${time}`;
}

/**
 * What became of a mail, in a few words.
 *
 * @param {{state: string, at: string | null, why: string | null}} mail
 * @param {string} zone
 * @param {number} [now]
 */
export function describeMail({ state, at, why }, zone, now = Date.now()) {
  if (at && state === "planned")
    return Date.parse(at) > now ? `mail held for ${formatClock(at, zone, now)}` : "mail on its way";
  if (at && state === "sent") return `mailed ${formatAgo(at, now)}`;
  if (at && state === "delivered") return `mail arrived ${formatAgo(at, now)}`;
  if (state === "skipped") return `not mailed: ${MAIL_SKIP_REASONS[why || ""]}`;
  return MAIL_STATUS_LABELS[state];
}

/** Whether a notice is about a step that lasts too long. @param {{rule: string}} notice */
export const isOverdueNotice = ({ rule }) => rule.startsWith("clock_");

/** Why a notice of the plan was left out. @param {string} why */
export const describeSkipReason = (why) => SKIP_REASONS[why];
