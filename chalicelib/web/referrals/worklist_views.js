// The views of the worklist: the tabs, and those under "More views".
import { isPractice } from "../identity/member.js";
import { html, signal, useEffect, useState } from "../platform/dom.js";
import { getLabel, PHASES } from "../platform/labels.js";
import { Menu } from "../platform/menu.js";
import { Problem } from "../platform/ui.js";
import { buildListHref, WORST_FIRST } from "./worklist_address.js";

/** Whether the dialog of saved views is open. */
export const isManagingViews = signal(false);

/** How many tabs a phone shows; the rest are in the menu. */
const PHONE_TABS = 2;

/** @type {string[]} */
const PRACTICE_TABS = [
  "needs_action",
  "late",
  "update_missing",
  "waiting_for_other_team",
  "changed_since_seen",
  "all_open",
];
/** @type {string[]} */
const CENTER_TABS = [
  "needs_action",
  "new_referrals",
  "awaiting_booking",
  "late",
  "update_missing",
  "waiting_for_other_team",
  "changed_since_seen",
  "all_open",
];
/** @type {string[]} */
const MORE_VIEWS = [
  "needs_information",
  "awaiting_booking",
  "no_show_or_cancelled",
  "monitoring_ends_soon",
  "handback_awaiting_acknowledgement",
  "returned_or_declined",
];
/** @type {Record<string, string>} */
const TONES = { late: "is-error", update_missing: "is-warning" };

/** The query of the API for a view. @param {string} view @returns {Record<string, string>} */
export const buildViewQuery = (view) => (view === "all" ? {} : PHASES[view] ? { phase: view } : { worklist: view });

/** The name of a view. @param {string} view */
export function getViewName(view) {
  if (view === "all") return "All, also closed";
  if (view === "closed") return "Declined, withdrawn, closed";
  if (view === "eligibility") return "Drafts";
  if (view === "waiting_for_other_team") return isPractice() ? "Waiting for center" : "Waiting for practice";
  return getLabel(view);
}

/** @param {any} counts @param {string} view @returns {number | undefined} */
const getCount = (counts, view) =>
  view === "all" ? counts?.total : PHASES[view] ? counts?.phases[view] : counts?.worklists[view];

/** @param {{view: string, current: string, counts: any, isExtra?: boolean}} properties */
function ViewLink({ view, current, counts, isExtra }) {
  const count = getCount(counts, view);
  const tone = count ? (TONES[view] ?? "") : "is-empty";
  return html`<a href=${buildListHref({ view, filters: {}, sort: WORST_FIRST, page: 1 })}
      aria-current=${current === view ? "page" : undefined} class=${isExtra ? "is-extra" : undefined}>
    ${getViewName(view)}${count !== undefined && html` <span class="tabular-numbers view-count ${tone}">${count.toLocaleString("en-US")}</span>`}
  </a>`;
}

/** @param {{address: import("./worklist_address.js").ListAddress, counts: any}} properties */
export function WorklistViews({ address, counts }) {
  const { view } = address;
  const [saved, setSaved] = useState(/** @type {any} */ (null));
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const loadSaved = () =>
    import("./saved_views.js").then(
      (module) => setSaved(module),
      (problem) => setFailed(problem),
    );
  const isManaging = isManagingViews.value;
  const setManaging = (/** @type {boolean} */ isOpen) => {
    isManagingViews.value = isOpen;
  };
  useEffect(() => {
    if (isManaging) loadSaved();
  }, [isManaging]);
  const tabs = isPractice() ? PRACTICE_TABS : CENTER_TABS;
  const phases = Object.keys(PHASES).filter((phase) => isPractice() || phase !== "eligibility");
  const more = [...MORE_VIEWS.filter((each) => !tabs.includes(each)), ...phases, "all"];
  const title = tabs.includes(view) ? "More views" : getViewName(view);
  // A phone shows as many tabs in one line, and the current one is among them.
  const onPhone = tabs.indexOf(view) < PHONE_TABS ? tabs.slice(0, PHONE_TABS) : [tabs[0], view];
  const link = (/** @type {string} */ each, /** @type {boolean} */ isExtra) =>
    html`<${ViewLink} view=${each} current=${view} counts=${counts} isExtra=${isExtra} />`;
  return html`<nav class="views" aria-label="Views">
    ${tabs.map((each) => link(each, !onPhone.includes(each)))}
    <${Menu} label=${title} isMarked=${!tabs.includes(view)} onOpen=${loadSaved}>
      <ul>
        ${tabs.filter((each) => !onPhone.includes(each)).map((each) => html`<li class="is-phone-only">${link(each, false)}</li>`)}
        ${more.map((each) => html`<li>${link(each, false)}</li>`)}
        ${failed && !saved && html`<li><${Problem} problem=${failed} retry=${loadSaved} /></li>`}
        ${saved && html`<${saved.SavedViewLinks} address=${address} onManage=${() => setManaging(true)} />`}
      </ul>
    <//>
    ${isManaging && saved && html`<${saved.SavedViewsDialog} address=${address} onClose=${() => setManaging(false)} />`}
  </nav>`;
}
