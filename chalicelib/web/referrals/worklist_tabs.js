// The tabs of the worklist: lists of referrals that need attention, and lists by phase.
import { isPractice } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { getLabel, PHASES, WORKLISTS } from "../platform/labels.js";
import { navigate } from "../platform/route.js";

/** The query of the API for a list of the address. */
export const buildQuery = (list) => (list === "all" ? {} : PHASES[list] ? { phase: list } : { worklist: list });

function groupLists(counts) {
  const rows = (names, of) => names.map((name) => [name, counts ? (counts[of][name] ?? 0) : undefined]);
  // A center never sees a practice's drafts.
  const phases = Object.keys(PHASES).filter((phase) => isPractice() || phase !== "eligibility");
  return [
    ["Needs attention", [["all", counts?.total], ...rows(Object.keys(WORKLISTS), "worklists")]],
    ["By step", rows(phases, "phases")],
  ];
}

const getListName = (list) => (list === "all" ? "All" : getLabel(list));

function Tab({ tab: [list, count], current }) {
  return html`<a href="#/worklist/${list}" aria-current=${current === list ? "page" : undefined} class=${count ? "" : "empty"}>
    ${getListName(list)}${count !== undefined && html`<span class="tabular-numbers">${count}</span>`}
  </a>`;
}

export function WorklistTabs({ list, counts }) {
  const tabGroups = groupLists(counts);
  return html`
    <div class="tabs">
      ${tabGroups.map(
        ([title, tabs]) => html`<nav aria-label=${title}>
          ${tabs.map((tab) => html`<${Tab} tab=${tab} current=${list} />`)}
        </nav>`,
      )}
    </div>
    <p class="field tabs-narrow">
      <label for="list">Show</label>
      <select id="list" onChange=${(event) => navigate(`#/worklist/${event.target.value}`)}>
        ${tabGroups.map(
          ([title, tabs]) => html`<optgroup label=${title}>
            ${tabs.map(([tab, count]) => html`<option value=${tab} selected=${tab === list}>${getListName(tab)} (${count ?? "…"})</option>`)}
          </optgroup>`,
        )}
      </select>
    </p>`;
}
