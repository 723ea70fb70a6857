// The events that this member can report. Each has a title, an event type, and the fields of its dialog.
import { listCenters } from "../centers/centers_api.js";
import { isPractice } from "../identity/member.js";
import { getLabel } from "../platform/labels.js";
import { CARE_DETAILS, CARE_REPORTS } from "./care_reports.js";
import { buildPlanFields, buildPlanReport, readPlannedDate } from "./plans.js";

/**
 * @typedef {{name: string, label: string, [attribute: string]: any}} FieldSpec the properties of `Field`,
 *   and `load` to fetch the options, or `shown` to decide whether the field is on the form
 * @typedef {{label: string, title?: string, type: string, fields: FieldSpec[], data?: object, done?: string,
 *   at?: string, when?: string, isInfusion?: boolean, showsWhen?: (values: any) => boolean,
 *   body?: (values: any, at: string) => object, prepare?: (answers: any) => object}} Report
 */

const NOTE = {
  name: "note",
  label: "Note",
  optional: true,
  rows: "3",
  maxlength: "4000",
  hint: "The practice and the center can both read this. Keep it brief.",
};

const HOLD_REASONS = [
  "infection_hold",
  "disease_progression",
  "toxicity_concern",
  "coverage_pending_too_long",
  "caregiver_unavailable",
  "travel_or_lodging",
  "patient_choice",
  "unknown",
];
const RESCHEDULE_REASONS = ["no_show", "rescheduled", "infection_hold", "insufficient_collection", "unknown"];
// The choice of the correction dialog that keeps the event at another time.
const OTHER_TIME = "other_time";

function buildReasonField(codes, required = true) {
  const options = [["", "Choose a reason"], ...codes.map((code) => [code, getLabel(code)])];
  return { name: "reason_code", label: "Reason", options, required, optional: !required };
}

// The fields of a status report besides the reason, by the server's names.
const EXTRA_FIELDS = {
  revisit_on: { name: "revisit_on", label: "Review again on", type: "date", optional: true },
  first_visit_on: {
    name: "first_visit_on",
    label: "First visit with your practice",
    type: "date",
    optional: true,
    hint: "Starts the follow-up calendar. You can add or change it later.",
  },
  suggested_center_id: {
    name: "suggested_center_id",
    label: "Suggested center",
    optional: true,
    load: async () => [
      ["", "No suggestion"],
      ...(await listCenters({ limit: 100 })).items.map(({ center_id: id, name }) => [id, name]),
    ],
  },
};

/** The number of the infusion in a split dose. `initial` has the first values. */
function buildInfusionFields(initial) {
  return [
    {
      name: "part",
      label: "Infusion number",
      type: "number",
      min: "1",
      max: "9",
      required: true,
      value: initial.part,
      half: true,
    },
    { name: "of", label: "of", type: "number", min: "1", max: "9", required: true, value: initial.of, half: true },
  ];
}

const PRODUCT_LABELS = { center_proceed: "Planned product", infused: "Product given" };

/** The product that the center names with its decision to proceed and with an infusion. */
function buildProductFields(stage, { product }, value) {
  const label = PRODUCT_LABELS[stage];
  if (!label) return [];
  const named = [product.planned, product.given].filter(Boolean);
  const ids = [...new Set([...product.offered, ...named])];
  return [
    {
      name: "product_id",
      label,
      optional: true,
      options: [["", "Not named"], ...ids.map((id) => [id, getLabel(id)])],
      value: ids.includes(value) ? value : "",
      hint: "Monitoring dates follow this product's label. Without a product, the longest periods apply.",
    },
  ];
}

/** Whether an appointment gets a new date, for example after a no-show. */
const isRescheduled = (action, referral) => action.stage === referral.stage && /_scheduled$/.test(action.stage);

/** The report of a status that the server allows now. @returns {Report} */
export function buildStageReport(action, referral, doses) {
  const again = isRescheduled(action, referral);
  const part = action.stage === referral.stage ? 2 : 1;
  const hasPlan = action.needs.includes("starts_at");
  const fields = [
    ...buildProductFields(action.stage, referral, referral.product.current),
    ...(action.needs.includes("local_date") ? buildInfusionFields({ part, of: Math.max(part, doses) }) : []),
    ...(action.reasons.length
      ? [buildReasonField(action.reasons)]
      : again
        ? [buildReasonField(RESCHEDULE_REASONS, false)]
        : []),
    ...action.needs.filter((name) => EXTRA_FIELDS[name]).map((name) => EXTRA_FIELDS[name]),
    ...(hasPlan ? buildPlanFields(referral.center, { hasMode: () => action.needs.includes("mode") }) : []),
    NOTE,
  ];
  return {
    label: again ? action.label.replace(/^Schedule/, "Reschedule") : action.label,
    type: "stage.changed",
    data: { stage: action.stage },
    isInfusion: action.needs.includes("local_date"),
    fields,
    ...(hasPlan && { prepare: (answers) => readPlannedDate(answers, referral.center) }),
  };
}

const buildHoldReport = ({ hold: on }) =>
  on
    ? { label: "Resume the referral", type: "hold.ended", done: "The referral is active again.", fields: [NOTE] }
    : {
        label: "Put the referral on hold",
        type: "hold.started",
        done: "The referral is on hold.",
        fields: [
          buildReasonField(HOLD_REASONS),
          { name: "until", label: "Expected to resume by", type: "date", optional: true },
          NOTE,
        ],
      };

const buildExtensionReport = ({ window, practice }) => ({
  label: "Extend monitoring",
  type: "window.extended",
  done: `Monitoring extended. ${practice.name} will be notified.`,
  fields: [
    {
      name: "ends_on",
      label: "Return to referring provider on",
      type: "date",
      required: true,
      min: window.infused_on,
      value: window.ends_on,
      hint: "Last day of monitoring, in the center's calendar.",
    },
    NOTE,
  ],
});

const buildWithdrawalReport = ({ center }) => ({
  label: "Request withdrawal",
  type: "withdrawal.requested",
  done: `Withdrawal requested. ${center.name} will be notified.`,
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
});

const REOPEN_REPORT = {
  label: "Reopen the referral",
  type: "referral.reopened",
  done: "The referral is open again.",
  fields: [{ ...NOTE, label: "Why are you reopening it?", optional: false, required: true }],
};

const FURTHER_REPORTS = {
  "hold.started": buildHoldReport,
  "hold.ended": buildHoldReport,
  ...CARE_REPORTS,
  "plan.changed": buildPlanReport,
  "window.extended": buildExtensionReport,
  "withdrawal.requested": buildWithdrawalReport,
  "referral.reopened": () => REOPEN_REPORT,
};

/** The other events that the server allows now. @returns {Report[]} */
export const listFurtherReports = (referral) =>
  referral.may_report.filter((type) => FURTHER_REPORTS[type]).map((type) => FURTHER_REPORTS[type](referral, NOTE));

/** Whether a member can correct an event of the own organization: a status, an extension or a report about care. */
export function isCorrectable(event) {
  const ownSources = isPractice() ? ["practice"] : ["center", "center_feed"];
  const typeAllowed =
    event.type === "window.extended" ||
    event.type in CARE_DETAILS ||
    (event.type === "stage.changed" && event.data.stage !== "submitted");
  return ownSources.includes(event.source) && typeAllowed;
}

/** The report that an earlier event was wrong: it happened at another time, or it did not happen. @returns {Report} */
export function buildCorrection(event, referral) {
  const { data } = event;
  const isStatus = event.type === "stage.changed";
  const isOtherTime = (values) => values.truth === OTHER_TIME;
  const isInfusion = isStatus && !!data.part;
  const infusionFields = isInfusion ? buildInfusionFields(data) : [];
  const visitFields =
    data.stage === "handed_back"
      ? [{ ...EXTRA_FIELDS.first_visit_on, value: data.first_visit_on ?? "", hint: undefined }]
      : [];
  const productFields = isStatus ? buildProductFields(data.stage, referral, data.product_id) : [];
  const choices = [
    [
      OTHER_TIME,
      productFields.length
        ? "It happened on a different date or time, or with another product"
        : "It happened on a different date or time",
    ],
    ["never", "It did not happen"],
  ];
  return {
    label: "Correct",
    title: `Correct “${event.stage_label}”`,
    type: "event.corrected",
    done: "Correction saved. The other organization will be notified.",
    at: event.occurred_at,
    fields: [
      {
        name: "truth",
        label: "What needs to be corrected?",
        choice: isStatus ? choices : choices.slice(1),
        value: isStatus ? OTHER_TIME : "never",
        first: true,
      },
      ...[...productFields, ...infusionFields, ...visitFields].map((field) => ({ ...field, shown: isOtherTime })),
      NOTE,
    ],
    showsWhen: isOtherTime,
    isInfusion,
    body: ({ truth, note, ...values }, at) => ({
      supersedes: event.event_id,
      note,
      ...(truth === OTHER_TIME && {
        replacement: {
          occurred_at: at,
          // The server derives the infusion date from a new time. The reported date was about the earlier time.
          data: {
            ...data,
            ...(productFields.length > 0 && { product_id: undefined }),
            ...(at !== event.occurred_at && { local_date: undefined }),
            ...values,
          },
        },
      }),
    }),
  };
}
