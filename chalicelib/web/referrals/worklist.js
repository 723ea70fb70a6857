// The worklist: what needs action, worst first; and other views of the same referrals.
import { canRefer, getTimeZone } from "../identity/member.js";
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { keepScroll, readKeptScroll, replaceWith } from "../platform/route.js";
import { wantsSearch } from "../platform/shortcuts.js";
import { formatTime } from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { countReferrals, listReferrals } from "./referrals_api.js";
import { buildListHref, parseListAddress, WORST_FIRST } from "./worklist_address.js";
import { FilterButton, WorklistFilters } from "./worklist_filters.js";
import { WorklistTable } from "./worklist_table.js";
import { buildViewQuery, getViewName, isManagingViews, WorklistViews } from "./worklist_views.js";

/** @typedef {import("./worklist_address.js").ListAddress} ListAddress */

const PAUSE_MS = 250;
const SCROLL_PAUSE_MS = 100;
/** The rows of a page. */
export const PAGE_ROWS = 100;

/** The views of referrals that have no due date, or are not only about what is due. */
const WITHOUT_GROUPS = new Set(["all", "closed"]);

// The search stays while the user opens a referral and comes back. A name is never in the address.
const searchText = signal("");
/** @typedef {{key: string, address: ListAddress, q: string, page: import("./referrals_api.js").ReferralPage}} OpenList */
/** The list that was shown last: Back shows it at once, and the page of a referral leads to the next one in it. */
export const openList = signal(/** @type {OpenList | null} */ (null));
/** What the page that opens next says first; `at` is its referral, or empty for the worklist. */
export const openingNote = signal(/** @type {{at: string, text: string, banner: any} | null} */ (null));
/** The counts that were shown last. @type {any} */
let lastCounts = null;
onSignOut(() => {
  isManagingViews.value = false;
  searchText.value = "";
  openList.value = null;
  openingNote.value = null;
  lastCounts = null;
});

/** @type {Record<string, string>} */
const EMPTY_LABELS = {
  needs_action: "Nothing needs action.",
  late: "Nothing is late.",
  update_missing: "No updates are missing.",
  changed_since_seen: "No unread changes.",
};

/** @param {{address: ListAddress, searched: boolean}} properties */
function Empty({ address, searched }) {
  const filters = Object.keys(address.filters).length;
  const text = searched
    ? "No referrals match your search. Check the spelling, or search by alias."
    : filters
      ? "No referral matches these filters."
      : address.page > 1
        ? "This page is empty. Go back to the first page."
        : (EMPTY_LABELS[address.view] ?? "No referrals in this list.");
  const isPlain = !searched && !filters;
  return html`<div class="empty-state card">
    <${Icon} name=${searched || filters ? "search" : "inbox"} />
    <p>${text}</p>
    ${searched && address.view !== "all" && html`<p><a href="#/worklist/all">Search all referrals</a></p>`}
    ${!searched && filters > 0 && html`<p><a href=${buildListHref({ ...address, filters: {}, page: 1 })}>Clear ${formatCount(filters, "filter")}</a></p>`}
    ${isPlain && canRefer() && html`<p><a href="#/new/patient">Start a new referral</a></p>`}
  </div>`;
}

/** @param {{address: ListAddress}} properties */
function Search({ address }) {
  const timer = useRef(0);
  const type = (/** @type {any} */ event) => {
    const text = event.target.value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      searchText.value = text.trim();
      if (address.page > 1) replaceWith(buildListHref({ ...address, page: 1 }));
    }, PAUSE_MS);
  };
  useEffect(() => {
    if (wantsSearch.value) document.getElementById("q")?.focus();
    wantsSearch.value = false;
    return () => clearTimeout(timer.current);
  }, []);
  return html`<form role="search" class="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <label for="q" class="visually-hidden">Search by name, alias, MRN, date of birth, or phone</label>
    <${Icon} name="search" />
    <input id="q" type="search" autocomplete="off" placeholder="Name, alias, MRN, birth date, phone"
      value=${searchText.peek()} onInput=${type} />
  </form>`;
}

/** Back returns to the row from which the person left: each entry of the history keeps a position in its own rows. @param {boolean} isReady @param {string} key */
function useKeptScroll(isReady, key) {
  useLayoutEffect(() => {
    if (!isReady) return undefined;
    scrollTo(0, readKeptScroll());
    const { href } = location;
    let timer = 0;
    const onScroll = () => {
      clearTimeout(timer);
      // The address changes first.
      timer = setTimeout(() => location.href === href && keepScroll(scrollY), SCROLL_PAUSE_MS);
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => {
      clearTimeout(timer);
      removeEventListener("scroll", onScroll);
    };
  }, [isReady, key]);
}

/** @param {{address: ListAddress, total: number | null}} properties */
function Pages({ address, total }) {
  const last = Math.ceil((total ?? 0) / PAGE_ROWS);
  if (last < 2) return null;
  const { page } = address;
  const link = (/** @type {number} */ to, /** @type {string} */ text) =>
    to >= 1 && to <= last && html`<a class="button" href=${buildListHref({ ...address, page: to })}>${text}</a>`;
  return html`<nav class="pages" key=${page} aria-label="Pages">
    ${link(page - 1, "Previous")}
    <span class="small-text tabular-numbers">Page ${page} of ${last}</span>
    ${link(page + 1, "Next")}
  </nav>`;
}

/** @param {{address: ListAddress, q: string, total: number | null | undefined}} properties */
function ExportButton({ address, q, total }) {
  const [isOpen, setOpen] = useState(false);
  const { data, problem, reload } = useLoad(async () => (isOpen ? import("./worklist_export.js") : null), [isOpen]);
  return html`<button type="button" class="export-button" onClick=${() => setOpen(true)} disabled=${!total}>Export</button>
    ${isOpen && problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${isOpen && data && html`<${data.ExportDialog} query=${buildQuery(address, q)} total=${total} onClose=${() => setOpen(false)} />`}`;
}

/** A page that closes takes its own note along, not that of the page that opens. @param {string} at */
export function dropNote(at) {
  if (openingNote.peek()?.at === at) openingNote.value = null;
}

/** @param {ListAddress} address @param {string} q */
const buildQuery = (address, q) => ({ ...buildViewQuery(address.view), ...address.filters, q, sort: address.sort });

/** @param {ListAddress} address @param {string} q */
const buildKey = (address, q) => JSON.stringify([buildQuery(address, q), address.page]);

/** Load a page of a list as it is now. @param {ListAddress} address @param {string} q @returns {Promise<OpenList>} */
export const loadList = async (address, q) => ({
  key: buildKey(address, q),
  address,
  q,
  page: await listReferrals({ ...buildQuery(address, q), page: address.page, limit: PAGE_ROWS }),
});

/** @param {{list?: string, query?: string}} properties */
export function Worklist({ list, query: search }) {
  const address = useMemo(() => parseListAddress(list, search), [list, search]);
  const q = searchText.value;
  const key = buildKey(address, q);
  const rows = useLoad(() => loadList(address, q), [key]);
  const totals = useLoad(countReferrals, []);
  const [loadedAt, setLoadedAt] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!rows.data || rows.busy) return;
    openList.value = rows.data;
    // The button is gone.
    if (!document.querySelector(":focus")) document.querySelector("h1")?.focus({ preventScroll: true });
    setLoadedAt(new Date().toISOString());
    announce(`${openingNote.peek()?.text ?? ""} ${formatCount(rows.data.page.total ?? 0, "referral")}`.trim());
  }, [rows.busy]);
  if (totals.data) lastCounts = totals.data;
  // Until the answer is there, the same list as last time, or the list before it.
  const last = openList.peek();
  const shown = rows.data?.key === key ? rows.data : last?.key === key ? last : rows.data;
  const page = shown?.page;
  useKeptScroll(shown?.key === key, key);
  useEffect(() => () => dropNote(""), []);
  const refresh = () => {
    rows.reload();
    totals.reload();
  };
  const hasGroups = address.sort === WORST_FIRST && !WITHOUT_GROUPS.has(address.view);
  const before = (address.page - 1) * PAGE_ROWS;
  const ends = [1, page?.items.length ?? 0].map((at) => (before + at).toLocaleString("en-US"));
  const range = `${ends.join("–")} of ${formatCount(page?.total ?? 0, "referral")}`;
  return html`<div class="title-row">
      <${PageTitle} page="Worklist: ${getViewName(address.view)}">Worklist<//>
      ${loadedAt && html`<p class="small-text tabular-numbers">${hasGroups && html`<span class="order-note">Worst first. </span>`}As of ${formatTime(loadedAt, getTimeZone())}</p>`}
      <span class="spacer" />
      <${Search} address=${address} />
      <${FilterButton} address=${address} />
      <${ExportButton} address=${address} q=${q} total=${page?.total} />
      <button type="button" class="refresh-button" onClick=${refresh} aria-label="Refresh worklist"><${Icon} name="refresh-cw" /></button>
      ${canRefer() && html`<a class="button primary" href="#/new/patient"><${Icon} name="plus" />New referral</a>`}
    </div>
    ${openingNote.value?.at === "" && openingNote.value.banner}
    <${WorklistViews} address=${address} counts=${lastCounts} />
    <${WorklistFilters} address=${address} counts=${lastCounts} />
    ${rows.problem && html`<${Problem} problem=${rows.problem} retry=${rows.reload} />`}
    ${!page && !rows.problem && html`<${Loading} what="referrals" />`}
    ${page && !page.items.length && html`<${Empty} address=${address} searched=${!!q} />`}
    ${
      page &&
      page.items.length > 0 &&
      html`<div class="card no-padding worklist-card" aria-busy=${shown?.key !== key}>
        <${WorklistTable} items=${page.items} range=${range} address=${address} hasGroups=${hasGroups} />
      </div>
      <p class="small-text tabular-numbers list-range">${range}</p>
      <${Pages} address=${address} total=${page.total} />`
    }`;
}
