// Reports about the patient's care by either organization: adverse events, relapse and bridging therapy.
import { formatDate } from "../platform/time.js";
import { getPartnerName } from "./badges.js";

const ADVERSE_EVENTS = {
  crs: "Cytokine release syndrome (CRS)",
  icans: "Neurotoxicity (ICANS)",
  iec_hs: "HLH-like syndrome (IEC-HS)",
  enterocolitis: "Enterocolitis (IEC-EC)",
  infection: "Infection",
  cytopenia: "Cytopenia",
  pml: "Progressive multifocal leukoencephalopathy (PML)",
  second_malignancy: "Second cancer (second malignancy)",
  readmission: "Readmission to a hospital",
  other: "Other adverse event",
};
// The older name of a kind in `toxicity.noticed`.
const OLDER_KINDS = { neurotoxicity: "icans" };
const NOT_GRADED = ["pml", "second_malignancy", "readmission"];
const RELAPSES = { confirmed: "Confirmed", suspected: "Suspected", ruled_out: "Ruled out" };
const BRIDGING = {
  planned: "Planned",
  started: "Started",
  completed: "Completed",
  none: "No bridging therapy",
};
export const BRIDGING_TEAMS = {
  practice: "The referring practice",
  center: "The treatment center",
  other: "Another team",
};
export const RESPONSES = {
  complete_response: "Complete response",
  partial_response: "Partial response",
  stable_disease: "Stable disease",
  progressive_disease: "Progressive disease",
  not_assessed: "Not assessed",
};

const buildOptions = (labels, first = "Choose") => [["", first], ...Object.entries(labels)];

function describeAdverseEvent({ kind, grade, status, resolved_on: on }) {
  const name = ADVERSE_EVENTS[OLDER_KINDS[kind] || kind] || ADVERSE_EVENTS.other;
  return [
    name + (grade ? `, grade ${grade}` : ""),
    (status === "resolved" || on) && (on ? `Resolved on ${formatDate(on)}` : "Resolved"),
  ];
}

/** The lines of the timeline, by event type. @type {Record<string, (data: any) => (string | null | false)[]>} */
export const CARE_DETAILS = {
  "toxicity.noticed": describeAdverseEvent,
  "adverse_event.reported": describeAdverseEvent,
  "relapse.reported": ({ status }) => [RELAPSES[status || "confirmed"]],
  "bridging.reported": ({ status, by, regimen, response }) => [
    BRIDGING[status],
    regimen && `Regimen: ${regimen}`,
    by && `Given by: ${BRIDGING_TEAMS[by]}`,
    response && `Response: ${RESPONSES[response]}`,
  ],
};

const buildAdverseEventReport = (referral, note) => ({
  label: "Report an adverse event",
  type: "adverse_event.reported",
  done: `Adverse event reported. ${getPartnerName(referral)} will be notified.`,
  fields: [
    { name: "kind", label: "What did you observe?", required: true, options: buildOptions(ADVERSE_EVENTS) },
    {
      name: "grade",
      label: "Grade",
      optional: true,
      number: true,
      hint: "ASTCT grades for CRS, ICANS and IEC-HS. CTCAE grades for the others.",
      options: [
        ["", "Not graded"],
        ...[1, 2, 3, 4].map((grade) => [String(grade), `Grade ${grade}`]),
        ["5", "Grade 5 (death)"],
      ],
      shown: ({ kind }) => !NOT_GRADED.includes(kind),
    },
    {
      name: "status",
      label: "Status",
      choice: [
        ["ongoing", "Ongoing"],
        ["resolved", "Resolved"],
      ],
      value: "ongoing",
    },
    {
      name: "resolved_on",
      label: "Resolved on",
      type: "date",
      optional: true,
      shown: ({ status }) => status === "resolved",
    },
    note,
  ],
});

const buildRelapseReport = (referral, note) => ({
  label: "Report a relapse",
  type: "relapse.reported",
  done: `Relapse reported. ${getPartnerName(referral)} will be notified.`,
  fields: [{ name: "status", label: "How certain is it?", required: true, options: buildOptions(RELAPSES) }, note],
});

const buildBridgingReport = (referral, note) => ({
  label: "Report bridging therapy",
  type: "bridging.reported",
  done: `Bridging therapy reported. ${getPartnerName(referral)} will be notified.`,
  fields: [
    { name: "status", label: "Status", required: true, options: buildOptions(BRIDGING) },
    {
      name: "by",
      label: "Given by",
      optional: true,
      options: buildOptions(BRIDGING_TEAMS, "Not entered"),
      shown: ({ status }) => status !== "none",
    },
    {
      name: "regimen",
      label: "Regimen",
      optional: true,
      maxlength: "200",
      shown: ({ status }) => status !== "none",
    },
    {
      name: "response",
      label: "Response",
      optional: true,
      options: buildOptions(RESPONSES, "Not entered"),
      shown: ({ status }) => status === "started" || status === "completed",
    },
    note,
  ],
});

export const CARE_REPORTS = {
  "adverse_event.reported": buildAdverseEventReport,
  "relapse.reported": buildRelapseReport,
  "bridging.reported": buildBridgingReport,
};
