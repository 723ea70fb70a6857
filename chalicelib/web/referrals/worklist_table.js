// The table of the worklist: a row for each referral, in groups if the worst comes first; cards in a narrow window.
import { canRefer, getTimeZone, isPractice } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatCount, getLabel } from "../platform/labels.js";
import { buildFormHref, buildReferralHref } from "../platform/route.js";
import {
  countDaysBetween,
  formatAge,
  formatDate,
  formatElapsed,
  formatPlanned,
  formatWallClock,
  formatWeekday,
} from "../platform/time.js";
import { PhoneLink } from "../platform/ui.js";
import { NextActionBadge, OverdueBadge, PhaseProgress } from "./badges.js";
import { buildListHref, WORST_FIRST } from "./worklist_address.js";

/** @typedef {import("../platform/api_types.js").ReferralSummaryResponse} Row */
/** @typedef {import("./worklist_address.js").ListAddress} ListAddress */

/** @type {Record<string, string>} */
const GROUPS = {
  late: "Late, latest first",
  due_soon: "Due today or tomorrow",
  this_week: "Due within 7 days",
  later: "Later, or no due date",
};

const getToday = () => formatWallClock(Date.now(), getTimeZone()).slice(0, 10);

/** @param {{item: Row, today: string}} properties */
function PatientCell({ item, today }) {
  const { patient } = item;
  const facts = [
    item.alias,
    patient.birth_date && `age ${formatAge(patient.birth_date, today)}`,
    patient.mrn && `MRN ${patient.mrn}`,
  ];
  const href =
    item.stage === "draft" && canRefer()
      ? buildFormHref(item.referral_id, "patient")
      : buildReferralHref(item.referral_id);
  return html`<th scope="row" role="rowheader">
    <a href=${href}>
      ${patient.family_name || "No last name yet"}${patient.given_name && `, ${patient.given_name}`}
    </a>${item.changed_since_seen && html`<span class="has-unread" title="Unread changes"><span class="visually-hidden">, unread changes</span></span>`}
    ${item.urgency !== "routine" && html` <span class="chip urgent">${getLabel(item.urgency)}</span>`}
    <span class="subtext">${facts.filter(Boolean).join(" · ")}</span>
  </th>`;
}

/** @param {{item: Row}} properties */
function NextActionCell({ item }) {
  const by = item.next_action_by;
  const isOthers = by !== "none" && (by === "practice") !== isPractice();
  const text = item.late && isOthers ? "Ask why this step is late" : item.next_action;
  return html`<td role="cell" class="next-action">
    ${text || html`<span class="small-text">None</span>`}
    ${by !== "none" && html`<span class="subtext"><span class=${isOthers ? "other-team" : undefined}><${NextActionBadge} owner=${by} referral=${item} /> · </span>${formatElapsed(item.stage_since)}</span>`}
  </td>`;
}

/** "33 days late", "Today", "Tomorrow", or the day. @param {{item: Row, today: string}} properties */
function Due({ item, today }) {
  if (item.clock_level === "on_hold") return html`<${OverdueBadge} level="on_hold" />`;
  if (!item.due_on) return html`<span class="small-text">No date</span>`;
  const days = countDaysBetween(today, item.due_on);
  if (item.late) return html`<strong class="late-text">${formatCount(-days, "day")} late</strong>`;
  const text = days === 0 ? "Today" : days === 1 ? "Tomorrow" : formatWeekday(item.due_on);
  return html`<time datetime=${item.due_on} class=${days >= 0 && days <= 1 ? "soon-text" : undefined}>${text}</time>`;
}

/** The next planned date; without one, until when the patient is monitored. @param {{item: Row}} properties */
function NextDate({ item: { next_plan: next, phase, window_ends_on: end } }) {
  if (next) return html`${formatPlanned(next, next.time_zone)}<span class="subtext">${next.label}</span>`;
  if (end && ["treatment", "monitoring"].includes(phase))
    return html`${formatDate(end)}<span class="subtext">End of monitoring</span>`;
  return html`<span class="small-text">Not set</span>`;
}

/** @param {{item: Row}} properties */
function StatusCell({ item }) {
  return html`<td role="cell" class="stage">
    <span>${item.stage_label}</span>${item.missing_updates && html`<span class="subtext"><span class="chip is-warning">Update missing from center</span></span>`}
    ${item.requested_items > 0 && html`<span class="subtext"><span class="chip is-warning">${formatCount(item.requested_items, "item")} requested</span></span>`}
    ${item.unread_messages > 0 && html`<span class="subtext"><span class="chip is-accent">${formatCount(item.unread_messages, "new message")}</span></span>`}
    ${item.routing_hints.length > 0 && html`<span class="subtext"><span class="chip is-warning">Check routing</span></span>`}
    <${PhaseProgress} phase=${item.phase} />
  </td>`;
}

/** @type {Record<string, string>} */
const COVERAGE_TONES = {
  cleared: "is-success",
  denied: "is-error",
  expired: "is-error",
  plan_changed: "is-warning",
  more_info: "is-warning",
};

/** @param {{item: Row}} properties */
function CoverageCell({ item: { coverage } }) {
  return html`<td role="cell" class="coverage-cell">
    ${coverage.state === "not_started" ? html`<span class="small-text">${coverage.label}</span>` : html`<span class="chip ${COVERAGE_TONES[coverage.state] ?? ""}">${coverage.label}</span>`}
    ${coverage.until && html`<span class="subtext">until ${formatDate(coverage.until)}</span>`}
  </td>`;
}

/** The other organization, and for a practice how to call its intake. @param {{item: Row}} properties */
function PartnerCell({ item }) {
  if (!isPractice())
    return html`<td role="cell" class="partner-cell">${item.practice.name}<span class="subtext">${item.provider_name}</span></td>`;
  if (!item.center)
    return html`<td role="cell" class="partner-cell"><span class="small-text">Center not chosen</span></td>`;
  return html`<td role="cell" class="partner-cell">${item.center.name}
    ${item.stage !== "draft" && html`<span class="call"><${PhoneLink} number=${item.center.intake_phone} /></span>`}
  </td>`;
}

/** @param {{item: Row, today: string}} properties */
function ReferralRow({ item, today }) {
  return html`<tr role="row">
    <${PatientCell} item=${item} today=${today} />
    <${NextActionCell} item=${item} />
    <td role="cell" class="due-cell tabular-numbers"><${Due} item=${item} today=${today} /></td>
    <td role="cell" class="next-date-cell tabular-numbers"><${NextDate} item=${item} /></td>
    <${StatusCell} item=${item} />
    <${CoverageCell} item=${item} />
    <td role="cell" class="product-cell">
      ${item.product_id ? getLabel(item.product_id) : html`<span class="small-text">Product not chosen</span>`}
      <span class="subtext">${item.disease === "B_ALL" ? "B-ALL" : item.disease?.replace("_", "/")}</span>
    </td>
    <${PartnerCell} item=${item} />
  </tr>`;
}

/** A column's title, which sorts by it; a second press turns the order around. @param {{name: string, sort: string, address: ListAddress}} properties */
function SortHeader({ name, sort, address }) {
  const isUp = address.sort === sort;
  const isDown = address.sort === `-${sort}`;
  const isWorst = sort === "due" && address.sort === WORST_FIRST;
  const next = sort === "due" ? (isWorst ? "-due" : WORST_FIRST) : isUp ? `-${sort}` : sort;
  const state = isUp || isWorst ? "ascending" : isDown ? "descending" : undefined;
  return html`<th scope="col" role="columnheader" aria-sort=${state}>
    <a href=${buildListHref({ ...address, sort: next, page: 1 })}>${name}<span class="sort-mark" aria-hidden="true" /></a>
  </th>`;
}

/** The rows in their groups, each with its title; one group without a title if the list has another order. @param {Row[]} items @param {boolean} hasGroups @returns {[string, Row[]][]} */
const groupRows = (items, hasGroups) =>
  hasGroups
    ? Object.keys(GROUPS)
        .map((group) => /** @type {[string, Row[]]} */ ([group, items.filter((item) => item.due_group === group)]))
        .filter(([, rows]) => rows.length)
    : [["", items]];

/** @param {{items: Row[], range: string, address: ListAddress, hasGroups: boolean}} properties */
export function WorklistTable({ items, range, address, hasGroups }) {
  const today = getToday();
  const partner = isPractice() ? "center" : "practice";
  const columns = [
    ["Patient", "patient"],
    ["Next action", "next_action"],
    ["Due", "due"],
    ["Next date", "next_date"],
    ["Status", "stage"],
    ["Coverage", "coverage"],
    ["Product", "product"],
    [isPractice() ? "Center" : "Practice", partner],
  ];
  return html`<table role="table" class="data-table worklist">
    <caption class="visually-hidden">${range}</caption>
    <thead role="rowgroup">
      <tr role="row">${columns.map(([name, sort]) => html`<${SortHeader} name=${name} sort=${sort} address=${address} />`)}</tr>
    </thead>
    ${groupRows(items, hasGroups).map(
      ([group, rows]) => html`<tbody role="rowgroup" key=${group}>
        ${group && html`<tr role="row" class="group-row ${group === "late" ? "is-late" : ""}"><th role="rowheader" scope="rowgroup" colspan="8">${GROUPS[group]}</th></tr>`}
        ${rows.map((item) => html`<${ReferralRow} key=${item.referral_id} item=${item} today=${today} />`)}
      </tbody>`,
    )}
  </table>`;
}
