// What this member may report of a referral, beside the moves that the server offers: each as
// a title, a kind of event, and the fields that its dialog asks for.
import { listCenters } from "../centers/centers_api.js";
import { isPractice } from "../identity/member.js";
import { getLabel } from "../platform/labels.js";
import { formatWallClock } from "../platform/time.js";

/**
 * @typedef {{name: string, label: string, [attribute: string]: any}} FieldSpec as of `Field`; with
 *   `load` its options are fetched, with `shown` it may be left out
 * @typedef {{label: string, title?: string, type: string, fields: FieldSpec[], data?: object, done?: string,
 *   at?: string, when?: string, showsWhen?: (values: any) => boolean,
 *   body?: (values: any, at: string) => object}} Report
 */

const NOTE = {
  name: "note",
  label: "Note",
  optional: true,
  rows: "3",
  maxlength: "4000",
  hint: "Both sides can read it. Keep it short.",
};

const WAITING_REASONS = [
  "infection_hold",
  "disease_progression",
  "toxicity_concern",
  "coverage_pending_too_long",
  "caregiver_unavailable",
  "travel_or_lodging",
  "patient_choice",
  "unknown",
];
const REPEATED_STAGES = ["no_show", "rescheduled", "infection_hold", "insufficient_collection", "unknown"];
const TOXICITIES = {
  crs: "Cytokine release syndrome (CRS)",
  neurotoxicity: "Neurotoxicity (ICANS)",
  infection: "Infection",
  cytopenia: "Cytopenia",
  readmission: "Readmission",
  other: "Other",
};

export const getToxicityName = (kind) => TOXICITIES[kind] || getLabel(kind);

function buildReasonField(codes, required = true) {
  const options = [["", "Choose a reason"], ...codes.map((code) => [code, getLabel(code)])];
  return { name: "reason_code", label: "Reason", options, required, optional: !required };
}

// What a move may ask for beside a reason, by the names that the server gives.
const FIELDS_BY_STAGE = {
  revisit_on: { name: "revisit_on", label: "Look at it again on", type: "date", optional: true },
  first_visit_on: {
    name: "first_visit_on",
    label: "First visit with you",
    type: "date",
    optional: true,
    hint: "It opens the follow-up calendar. You can tell it later by a correction.",
  },
  suggested_center_id: {
    name: "suggested_center_id",
    label: "Suggested center",
    optional: true,
    load: async () => [
      ["", "None"],
      ...(await listCenters({ limit: 100 })).items.map((each) => [each.center_id, each.name]),
    ],
  },
};

/** The day, and which part of a dose it was: as `given` before, else the one that comes next. */
function buildInfusionFields(center, given) {
  return [
    {
      name: "local_date",
      label: "Calendar date at the center",
      type: "date",
      required: true,
      value: given.local_date || formatWallClock(Date.now(), center.time_zone).slice(0, 10),
      hint: `The day there (${center.time_zone}) is day 0 of the monitoring window.`,
    },
    {
      name: "part",
      label: "Infusion part",
      type: "number",
      min: "1",
      max: "9",
      required: true,
      value: given.part,
      half: true,
    },
    { name: "of", label: "of", type: "number", min: "1", max: "9", required: true, value: given.of, half: true },
  ];
}

/** A booking that is made once more: the patient did not come, or there is a new date. */
const isBookedAgain = (action, referral) => action.stage === referral.stage && /_scheduled$/.test(action.stage);

/** A move that the server offers. @returns {Report} */
export function buildStageReport(action, referral, parts) {
  const again = isBookedAgain(action, referral);
  const part = action.stage === referral.stage ? 2 : 1;
  const fields = [
    ...(action.needs.includes("local_date")
      ? buildInfusionFields(referral.center, { part, of: Math.max(part, parts) })
      : []),
    ...(action.reasons.length
      ? [buildReasonField(action.reasons)]
      : again
        ? [buildReasonField(REPEATED_STAGES, false)]
        : []),
    ...action.needs.filter((name) => FIELDS_BY_STAGE[name]).map((name) => FIELDS_BY_STAGE[name]),
    NOTE,
  ];
  return {
    label: again ? `${action.label} again` : action.label,
    type: "stage.changed",
    data: { stage: action.stage },
    fields,
  };
}

const buildHoldReport = ({ hold: on }) =>
  on
    ? { label: "End the hold", type: "hold.ended", done: "The hold has ended.", fields: [NOTE] }
    : {
        label: "Put on hold",
        type: "hold.started",
        done: "The referral is on hold.",
        fields: [
          buildReasonField(WAITING_REASONS),
          { name: "until", label: "Expected to go on by", type: "date", optional: true },
          NOTE,
        ],
      };

const TOXICITY_REPORT = {
  label: "Report a toxicity",
  type: "toxicity.noticed",
  done: "The toxicity was reported.",
  fields: [
    {
      name: "kind",
      label: "What was noticed?",
      required: true,
      options: [["", "Choose"], ...Object.entries(TOXICITIES)],
    },
    {
      name: "grade",
      label: "Grade",
      optional: true,
      number: true,
      options: [["", "Not graded"], ...[1, 2, 3, 4, 5].map((grade) => [String(grade), `Grade ${grade}`])],
    },
    NOTE,
  ],
};

const buildExtensionReport = ({ window }) => ({
  label: "Extend the window",
  type: "window.extended",
  done: "The monitoring window was extended.",
  fields: [
    {
      name: "ends_on",
      label: "Hand-back on",
      type: "date",
      required: true,
      min: window.infused_on,
      value: window.ends_on,
      hint: "The calendar date at the center on which monitoring ends.",
    },
    NOTE,
  ],
});

const WITHDRAWAL_REPORT = {
  label: "Ask to withdraw",
  type: "withdrawal.requested",
  done: "The center was asked to stop.",
  fields: [
    buildReasonField([
      "patient_choice",
      "disease_progression",
      "poor_performance",
      "other_therapy_chosen",
      "coverage_denied",
      "travel_or_lodging",
      "caregiver_unavailable",
      "unknown",
    ]),
    NOTE,
  ],
};

const REOPEN_REPORT = {
  label: "Open again",
  type: "referral.reopened",
  done: "The referral goes on.",
  fields: [{ ...NOTE, label: "Why?", optional: false, required: true }],
};

const FURTHER_REPORTS = {
  "hold.started": buildHoldReport,
  "hold.ended": buildHoldReport,
  "toxicity.noticed": () => TOXICITY_REPORT,
  "window.extended": buildExtensionReport,
  "withdrawal.requested": () => WITHDRAWAL_REPORT,
  "referral.reopened": () => REOPEN_REPORT,
};

/** What may be reported beside a move, as the server offers it. @returns {Report[]} */
export const listFurtherReports = (referral) =>
  referral.may_report.filter((type) => FURTHER_REPORTS[type]).map((type) => FURTHER_REPORTS[type](referral));

/** Events of one's own side may be corrected: a stage, or an extension, but not the sending. */
export function isCorrectable(event) {
  const own = isPractice() ? ["practice"] : ["center", "center_feed"];
  const kind = event.type === "window.extended" || (event.type === "stage.changed" && event.stage !== "submitted");
  return own.includes(event.source) && kind;
}

/** That an earlier event was wrong: it was otherwise, or it did not happen. @returns {Report} */
export function buildCorrection(event, referral) {
  const { data } = event;
  const moved = event.type === "stage.changed";
  const isOtherwise = (values) => values.truth === "otherwise";
  const infused = data.local_date && moved ? buildInfusionFields(referral.center, data) : [];
  const visit =
    "first_visit_on" in data
      ? [{ ...FIELDS_BY_STAGE.first_visit_on, value: data.first_visit_on ?? "", hint: undefined }]
      : [];
  const truths = [
    ["otherwise", "It happened at another time"],
    ["never", "It did not happen"],
  ];
  return {
    label: "Correct",
    title: `Correct: ${event.stage_label}`,
    type: "event.corrected",
    done: "Corrected.",
    at: event.occurred_at,
    fields: [
      {
        name: "truth",
        label: "What is true?",
        choice: moved ? truths : truths.slice(1),
        value: moved ? "otherwise" : "never",
        first: true,
      },
      ...[...infused, ...visit].map((field) => ({ ...field, shown: isOtherwise })),
      NOTE,
    ],
    showsWhen: isOtherwise,
    body: ({ truth, note, ...values }, at) => ({
      supersedes: event.event_id,
      note,
      ...(truth === "otherwise" && {
        replacement: {
          occurred_at: at,
          data: {
            ...keepUnchanged(data),
            ...values,
            stage: event.stage,
            reason_code: event.reason_code,
            note: event.note,
          },
        },
      }),
    }),
  };
}

const keepUnchanged = ({ part, of, local_date, revisit_on, suggested_center_id, first_visit_on }) => ({
  part,
  of,
  local_date,
  revisit_on,
  suggested_center_id,
  first_visit_on,
});
