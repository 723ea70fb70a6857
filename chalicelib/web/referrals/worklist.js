// The worklist: the status of every patient, the time in that status, and who acts next.
import { canRefer, getTimeZone, isPractice } from "../identity/member.js";
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useRef, useState } from "../platform/dom.js";
import { formatCount, getLabel } from "../platform/labels.js";
import { buildFormHref, buildReferralHref } from "../platform/route.js";
import {
  formatAge,
  formatDate,
  formatDay,
  formatElapsed,
  formatPlanned,
  formatTime,
  formatWallClock,
} from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { NextActionBadge, OverdueBadge, PhaseProgress } from "./badges.js";
import { countReferrals, listReferrals } from "./referrals_api.js";
import { buildQuery, WorklistTabs } from "./worklist_tabs.js";

const PAUSE_MS = 250;

// The search stays while the user opens a referral and comes back. A name is never in the address.
const searchText = signal("");
const coverageState = signal("");
onSignOut(() => (searchText.value = coverageState.value = ""));

/** The states of the coverage to choose from. @type {string[][]} */
const COVERAGE_STATES = [
  ["", "Any coverage"],
  ["plan_changed", "Plan changed"],
  ["expired", "Expired"],
  ["denied", "Denied by the payer"],
  ["appeal", "Appeal"],
  ["more_info", "Payer asks for more"],
  ["to_submit", "Authorization to submit"],
  ["submitted", "Payer reviewing"],
  ["agreement_open", "Case agreement open"],
  ["approved", "Authorization approved"],
  ["cleared", "Cleared"],
  ["not_started", "Not started"],
];

/** The next expected date: the end of monitoring, or the date by which the step is typically done. */
function formatExpected({ phase, window_ends_on: end, expected_by: typical }) {
  if (end && ["treatment", "monitoring"].includes(phase)) return `Monitoring until ${formatDate(end)}`;
  return typical && `Typically by ${formatDate(typical)}`;
}

function ReferralRow({ item }) {
  const { patient, center, practice, next_plan: next } = item;
  const today = formatWallClock(Date.now(), getTimeZone()).slice(0, 10);
  const partner = isPractice() ? center?.name : practice.name;
  return html`<tr role="row">
    <th scope="row" role="rowheader">
      <a href=${item.stage === "draft" && canRefer() ? buildFormHref(item.referral_id, "patient") : buildReferralHref(item.referral_id)}>
        ${patient.family_name || "No last name yet"}${patient.given_name && `, ${patient.given_name}`}
      </a>${item.changed_since_seen && html`<span class="has-unread" title="Unread changes"><span class="visually-hidden">, unread changes</span></span>`}
      ${item.urgency !== "routine" && html` <span class="chip urgent">${getLabel(item.urgency)}</span>`}
      <span class="subtext">${item.alias}${patient.birth_date && ` · age ${formatAge(patient.birth_date, today)}`}</span>
    </th>
    <td role="cell" class="stage">
      <span>${item.stage_label}</span>${item.missing_updates && html`<span class="subtext"><span class="chip is-warning">Update missing from center</span></span>`}
      ${item.requested_items > 0 && html`<span class="subtext"><span class="chip is-warning">${formatCount(item.requested_items, "item")} requested</span></span>`}
      ${item.unread_messages > 0 && html`<span class="subtext"><span class="chip is-accent">${formatCount(item.unread_messages, "new message")}</span></span>`}
      ${item.coverage.state !== "not_started" && html`<span class="subtext">Coverage: ${item.coverage.label}${item.coverage.until && `, ${formatDate(item.coverage.until)}`}</span>`}
      <${PhaseProgress} phase=${item.phase} />
    </td>
    <td role="cell" class="next-action"><${NextActionBadge} owner=${item.owner} referral=${item} /></td>
    <td role="cell" class="since-cell tabular-numbers">
      ${formatElapsed(item.stage_since)}<${OverdueBadge} level=${item.clock_level} />
      <span class="subtext">${formatDay(item.stage_since, getTimeZone())}</span>
      ${formatExpected(item) && html`<span class="subtext">${formatExpected(item)}</span>`}
      ${next && html`<span class="subtext">Next: ${next.label} on ${formatPlanned(next, next.time_zone)}</span>`}
    </td>
    <td role="cell">
      ${item.product_id ? getLabel(item.product_id) : html`<span class="small-text">Product not chosen</span>`}
      ${item.routing_hints.length > 0 && html`<span class="subtext"><span class="chip is-warning">Check routing</span></span>`}
      <span class="subtext">${item.disease === "B_ALL" ? "B-ALL" : item.disease?.replace("_", "/")}</span>
    </td>
    <td role="cell" class="partner-cell">
      ${partner || html`<span class="small-text">Center not chosen</span>`}
    </td>
  </tr>`;
}

function Results({ items }) {
  const columns = [
    "Patient",
    "Status",
    "Next action",
    "Time in status",
    "Product",
    isPractice() ? "Center" : "Practice",
  ];
  return html`<table role="table" class="data-table">
    <caption class="visually-hidden">Referrals, most recent activity first</caption>
    <thead role="rowgroup">
      <tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr>
    </thead>
    <tbody role="rowgroup">
      ${items.map((item) => html`<${ReferralRow} key=${item.referral_id} item=${item} />`)}
    </tbody>
  </table>`;
}

const EMPTY_LABELS = {
  needs_my_action: "Nothing needs your action.",
  late: "Nothing is late.",
  update_missing: "No updates are missing.",
  changed_since_seen: "No unread changes.",
};

function Empty({ list, searched }) {
  const text = searched
    ? "No referrals match your search. Check the spelling, or search by alias."
    : (EMPTY_LABELS[list] ?? "No referrals in this list.");
  return html`<div class="empty-state card">
    <${Icon} name=${searched ? "search" : "inbox"} />
    <p>${text}</p>
    ${!searched && canRefer() && html`<p><a href="#/new/patient">Start a new referral</a></p>`}
  </div>`;
}

function Search() {
  const timer = useRef(0);
  const type = (event) => {
    const text = event.target.value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => (searchText.value = text.trim()), PAUSE_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return html`<form role="search" class="search" onSubmit=${(event) => event.preventDefault()}>
    <label for="q" class="visually-hidden">Search by name, alias, MRN, date of birth, or phone</label>
    <${Icon} name="search" />
    <input id="q" type="search" autocomplete="off" placeholder="Search by name, alias, MRN, date of birth, or phone"
      value=${searchText.peek()} onInput=${type} />
  </form>`;
}

/** The first page of referrals, and the pages that were added to it. */
function usePagedReferrals(query) {
  const first = useLoad(() => listReferrals(query), [JSON.stringify(query)]);
  const [more, setMore] = useState({ busy: false, problem: null });
  const load = async () => {
    if (more.busy || !first.data) return;
    setMore({ busy: true, problem: null });
    try {
      const next = await listReferrals({ ...query, cursor: first.data.next_cursor });
      // A referral that changed in the meantime can be on both pages.
      const known = new Set(first.data.items.map((item) => item.referral_id));
      const added = next.items.filter((item) => !known.has(item.referral_id));
      first.replace({ ...next, items: first.data.items.concat(added) });
      announce(`${formatCount(added.length, "more referral")} loaded`);
      setMore({ busy: false, problem: null });
    } catch (problem) {
      setMore({ busy: false, problem });
    }
  };
  return { ...first, more: { ...more, load } };
}

const CoverageFilter = () => html`<p class="field coverage-filter">
  <label for="coverage-state" class="visually-hidden">Coverage</label>
  <select id="coverage-state" onChange=${(event) => (coverageState.value = event.target.value)}>
    ${COVERAGE_STATES.map(([state, text]) => html`<option value=${state} selected=${state === coverageState.value}>${text}</option>`)}
  </select>
</p>`;

function WorklistTable({ pages, list, searched }) {
  const { data, problem, reload, more } = pages;
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} what="referrals" />`;
  if (!data.items.length) return html`<${Empty} list=${list} searched=${searched} />`;
  return html`<div class="card no-padding"><${Results} items=${data.items} /></div>
    ${more.problem && html`<${Problem} problem=${more.problem} />`}
    ${
      data.next_cursor &&
      html`<p class="show-more"><button type="button" onClick=${more.load} aria-disabled=${more.busy}>
      ${more.busy ? "Loading…" : "Show more"}
    </button></p>`
    }`;
}

export function Worklist({ list }) {
  const q = searchText.value;
  const pages = usePagedReferrals({ ...buildQuery(list), q, coverage: coverageState.value });
  const totals = useLoad(countReferrals, []);
  const [loadedAt, setLoadedAt] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!pages.data || pages.busy) return;
    setLoadedAt(new Date().toISOString());
    const count = pages.data.items.length;
    announce(pages.data.next_cursor ? `${count} or more referrals` : formatCount(count, "referral"));
  }, [pages.busy]);
  const refresh = () => {
    pages.reload();
    totals.reload();
  };
  return html`<div class="title-row">
      <${PageTitle} page="Worklist">Worklist<//>
      ${loadedAt && html`<p class="small-text tabular-numbers">As of ${formatTime(loadedAt, getTimeZone())}</p>`}
      <span class="spacer" />
      <${Search} />
      <button type="button" onClick=${refresh} aria-label="Refresh worklist"><${Icon} name="refresh-cw" /></button>
      ${canRefer() && html`<a class="button primary" href="#/new/patient"><${Icon} name="plus" />New referral</a>`}
    </div>
    <${WorklistTabs} list=${list} counts=${totals.data} />
    <${CoverageFilter} />
    <${WorklistTable} pages=${pages} list=${list} searched=${!!q} />`;
}
