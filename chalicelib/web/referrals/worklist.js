// Where every patient is, since when, and who acts next.
import { canRefer, getTimeZone, isCenterAdmin, isPractice } from "../identity/member.js";
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useRef, useState } from "../platform/dom.js";
import { getLabel } from "../platform/labels.js";
import { buildFormHref, buildReferralHref } from "../platform/route.js";
import { computeYears, formatDate, formatDay, formatElapsed, formatTime, formatWallClock } from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { NextActionBadge, OverdueBadge, PhaseProgress } from "./badges.js";
import { countReferrals, listReferrals } from "./referrals_api.js";
import { buildQuery, WorklistTabs } from "./worklist_tabs.js";

const PAUSE_MS = 250;

// Kept while one looks at a referral and comes back; a name never goes into the address.
const searchText = signal("");
onSignOut(() => (searchText.value = ""));

/** What is expected next, and by when: the end of a running window, a day that was named, or what is usual. */
function formatExpected({ phase, window_ends_on: end, expected_by: usual }) {
  if (end && ["treatment", "monitoring"].includes(phase)) return `Window to ${formatDate(end)}`;
  return usual && `Expected by ${formatDate(usual)}`;
}

function ReferralRow({ item }) {
  const { patient, center, practice } = item;
  const today = formatWallClock(Date.now(), getTimeZone()).slice(0, 10);
  const otherSide = isPractice() ? center?.name : practice.name;
  return html`<tr role="row">
    <th scope="row" role="rowheader">
      <a href=${item.stage === "draft" && canRefer() ? buildFormHref(item.referral_id, "patient") : buildReferralHref(item.referral_id)}>
        ${patient.family_name}${patient.given_name && `, ${patient.given_name}`}
      </a>${item.changed_since_seen && html`<span class="has-unread" title="Changed since you looked"><span class="visually-hidden">, changed since you looked</span></span>`}
      ${item.urgency !== "routine" && html` <span class="chip urgent">${getLabel(item.urgency)}</span>`}
      <span class="subtext">${item.alias}${patient.birth_date && ` · ${computeYears(patient.birth_date, today)} y`}</span>
    </th>
    <td role="cell" class="stage">
      <span>${item.stage_label}</span>${item.missing_updates && html` <span class="chip is-warning">Update missing</span>`}
      <${PhaseProgress} phase=${item.phase} />
    </td>
    <td role="cell" class="next-action"><${NextActionBadge} owner=${item.owner} /></td>
    <td role="cell" class="since-cell tabular-numbers">
      ${formatElapsed(item.stage_since)}<${OverdueBadge} level=${item.clock_level} />
      <span class="subtext">${formatDay(item.stage_since, getTimeZone())}</span>
      ${formatExpected(item) && html`<span class="subtext">${formatExpected(item)}</span>`}
    </td>
    <td role="cell">
      ${item.product_id ? getLabel(item.product_id) : html`<span class="small-text">No product yet</span>`}
      <span class="subtext">${item.disease === "B_ALL" ? "B-ALL" : item.disease?.replace("_", "/")}</span>
    </td>
    <td role="cell" class="partner-cell">
      ${otherSide || html`<span class="small-text">Not chosen yet</span>`}
    </td>
  </tr>`;
}

function Results({ items }) {
  const columns = ["Patient", "Stage", "Acts next", "Since", "Product", isPractice() ? "Center" : "Practice"];
  return html`<table role="table" class="data-table">
    <caption class="visually-hidden">Referrals, newest activity first</caption>
    <thead role="rowgroup">
      <tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr>
    </thead>
    <tbody role="rowgroup">
      ${items.map((item) => html`<${ReferralRow} key=${item.referral_id} item=${item} />`)}
    </tbody>
  </table>`;
}

function Empty({ searched }) {
  return html`<div class="empty-state card">
    <${Icon} name=${searched ? "search" : "inbox"} />
    <p>${searched ? "No referral matches this search." : "No referrals here."}</p>
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
    <label for="q" class="visually-hidden">Search by name or alias</label>
    <${Icon} name="search" />
    <input id="q" type="search" autocomplete="off" placeholder="Search by name or alias"
      value=${searchText.peek()} onInput=${type} />
  </form>`;
}

/** The first page and what was added to it, as one growing list. */
function usePagedReferrals(query) {
  const first = useLoad(() => listReferrals(query), [JSON.stringify(query)]);
  const [more, setMore] = useState({ busy: false, problem: null });
  const load = async () => {
    if (more.busy || !first.data) return;
    setMore({ busy: true, problem: null });
    try {
      const next = await listReferrals({ ...query, cursor: first.data.next_cursor });
      // A referral that moved between two pages may come twice.
      const known = new Set(first.data.items.map((item) => item.referral_id));
      const fresh = next.items.filter((item) => !known.has(item.referral_id));
      first.replace({ ...next, items: first.data.items.concat(fresh) });
      announce(`${fresh.length} more referrals`);
      setMore({ busy: false, problem: null });
    } catch (problem) {
      setMore({ busy: false, problem });
    }
  };
  return { ...first, more: { ...more, load } };
}

function WorklistTable({ pages, searched }) {
  const { data, problem, reload, more } = pages;
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} what="referrals" />`;
  if (!data.items.length) return html`<${Empty} searched=${searched} />`;
  return html`<div class="card no-padding"><${Results} items=${data.items} /></div>
    ${more.problem && html`<${Problem} problem=${more.problem} />`}
    ${
      data.next_cursor &&
      html`<p class="show-more"><button type="button" onClick=${more.load} aria-disabled=${more.busy}>
      ${more.busy ? "Loading …" : "Show more"}
    </button></p>`
    }`;
}

export function Worklist({ list }) {
  const q = searchText.value;
  const pages = usePagedReferrals({ ...buildQuery(list), q });
  const totals = useLoad(countReferrals, []);
  const [at, setAt] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!pages.data || pages.busy) return;
    setAt(new Date().toISOString());
    announce(`${pages.data.items.length}${pages.data.next_cursor ? " or more" : ""} referrals`);
  }, [pages.busy]);
  const refresh = () => {
    pages.reload();
    totals.reload();
  };
  if (pages.problem?.status === 403) {
    return html`<${PageTitle} page="Worklist">Worklist<//><p class="banner">${pages.problem.message}</p>
      ${isCenterAdmin() && html`<p><a href="#/feed">See what your system sent</a></p>`}`;
  }
  return html`<div class="title-row">
      <${PageTitle} page="Worklist">Worklist<//>
      ${at && html`<p class="small-text tabular-numbers">As of ${formatTime(at, getTimeZone())}</p>`}
      <span class="spacer" />
      <${Search} />
      <button type="button" onClick=${refresh} aria-label="Refresh the worklist"><${Icon} name="refresh-cw" /></button>
      ${canRefer() && html`<a class="button primary" href="#/new/patient"><${Icon} name="plus" />New referral</a>`}
    </div>
    <${WorklistTabs} list=${list} counts=${totals.data} />
    <${WorklistTable} pages=${pages} searched=${!!q} />`;
}
