// The dates that are planned for a patient: the next one at the top of the page and in lists, and the dialog to plan one.
import { getTimeZone, isPractice } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatPlanned } from "../platform/time.js";
import { toTimestamp } from "../platform/timestamps.js";
import { getOwnerName, getPartnerName } from "./badges.js";

const KINDS = {
  consultation: "Consultation",
  leukapheresis: "Leukapheresis",
  delivery: "Product delivery",
  lymphodepletion: "Lymphodepletion",
  infusion: "CAR T infusion",
  return: "Return to the referring practice",
};
const MODES = { in_person: "In person", telehealth: "Telehealth" };

/** The lines of the timeline about a planned date. @returns {(string | null | false)[]} */
export const describePlan = ({ starts_at: at, on, mode, place, contact }) => [
  !!(at || on) && `Planned for ${formatPlanned({ starts_at: at, on }, getTimeZone())}`,
  mode ? MODES[mode] : null,
  place ? `Place: ${place}` : null,
  contact ? `Contact: ${contact}` : null,
];

function PlanLine({ plan, isNext, referral }) {
  const { label, time_zone: zone, mode, place, contact, moved_from: before, canceled, reported_by: by } = plan;
  const details = [
    mode && `${MODES[mode]}.`,
    place && `Place: ${place}.`,
    contact && `Contact: ${contact}.`,
    before && !canceled && `New date; it was ${formatPlanned(before, zone)}.`,
    `Reported by ${getOwnerName(by, referral)}.`,
  ].filter(Boolean);
  return html`<p><strong>${canceled ? "Canceled: " : isNext ? "Next: " : ""}${label}</strong> on${" "}
    <span class="tabular-numbers">${formatPlanned(plan, zone)}</span>. ${details.join(" ")}</p>`;
}

/** The planned dates that are still ahead, and those that were canceled. */
export function PlannedDates({ referral }) {
  const shown = referral.plans.filter(({ open, canceled }) => open || canceled);
  return shown.map(
    (plan) => html`<${PlanLine} key=${plan.plan} plan=${plan} referral=${referral}
      isNext=${plan.open && plan.plan === referral.next_plan?.plan} />`,
  );
}

/** Whether there is a planned date to show. */
export const hasPlannedDates = ({ plans }) => plans.some(({ open, canceled }) => open || canceled);

/**
 * The fields of a planned date.
 *
 * @param {any} center
 * @param {{required?: boolean, shown?: (values: any) => boolean, hasMode: (values: any) => boolean}} rules whether the
 *   date is required, whether the fields are on the form, and whether one of them asks how the patient attends
 */
export function buildPlanFields(center, { required = false, shown = (_values) => true, hasMode }) {
  return [
    { name: "on", label: "Planned date", type: "date", required, optional: !required, shown },
    {
      name: "starts_at",
      label: "Time",
      type: "time",
      optional: true,
      hint: `Local time at ${center.name}.`,
      shown: (values) => shown(values) && !!values.on,
    },
    {
      name: "mode",
      label: "How",
      optional: true,
      options: [["", "Not entered"], ...Object.entries(MODES)],
      shown: (values) => shown(values) && !!values.on && hasMode(values),
    },
    ...[
      ["place", "Place"],
      ["contact", "Contact"],
    ].map(([name, label]) => ({
      name,
      label,
      optional: true,
      maxlength: "200",
      shown: (values) => shown(values) && !!values.on,
    })),
  ];
}

/** A planned day and its time at the center, as the API reads them. @param {any} answers @param {any} center */
export function readPlannedDate({ on, starts_at: time, ...rest }, center) {
  if (!on) return rest;
  return { ...rest, ...(time ? { starts_at: toTimestamp(`${on}T${time}`, center.time_zone) } : { on }) };
}

export const buildPlanReport = (referral, note) => ({
  label: isPractice() ? "Plan the return" : "Plan a date",
  type: "plan.changed",
  done: `Saved. ${getPartnerName(referral)} will be notified.`,
  data: isPractice() ? { plan: "return" } : {},
  showsWhen: () => false,
  prepare: ({ action, ...answers }) => ({
    ...readPlannedDate(answers, referral.center),
    ...(action === "cancel" && { canceled: true }),
  }),
  fields: [
    ...(isPractice()
      ? []
      : [
          {
            name: "plan",
            label: "What is planned?",
            required: true,
            options: [["", "Choose"], ...Object.entries(KINDS)],
          },
        ]),
    {
      name: "action",
      label: "What changes?",
      choice: [
        ["set", "A new date"],
        ["cancel", "The date is canceled"],
      ],
      value: "set",
    },
    ...buildPlanFields(referral.center, {
      required: true,
      shown: ({ action }) => action !== "cancel",
      hasMode: ({ plan }) => plan === "consultation",
    }),
    note,
  ],
});
