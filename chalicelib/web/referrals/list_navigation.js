// From a referral to the next one, or the previous one, of the list from which it was opened.
import { html, useState } from "../platform/dom.js";
import { buildReferralHref, replaceWith } from "../platform/route.js";
import { mayLeave } from "../platform/shortcut_keys.js";
import { useShortcuts } from "../platform/shortcuts.js";
import { announce, Icon, Problem } from "../platform/ui.js";
import { loadList, openList, PAGE_ROWS } from "./worklist.js";
import { buildListHref } from "./worklist_address.js";

/** The place of a referral on the page of the list that was shown last; -1 if it is not there. */
export const findPlace = (id) => openList.value?.page.items.findIndex(({ referral_id: each }) => each === id) ?? -1;

/** Open another referral of the list. It takes the place of this one in the browser's history, so Back leads to the list. */
export const openInstead = (id) => replaceWith(buildReferralHref(id));

/** The referral some steps further in the list, with the page of the list on which it is; null at the ends. */
async function findNeighbor(list, place, step) {
  const { items } = list.page;
  if (items[place + step]) return { list, row: items[place + step] };
  const page = list.address.page + step;
  if (page < 1 || (page - 1) * PAGE_ROWS >= (list.page.total ?? 0)) return null;
  const other = await loadList({ ...list.address, page }, list.q);
  const row = other.page.items.at(step > 0 ? 0 : -1);
  return row ? { list: other, row } : null;
}

/** The way back to the list, and to its other referrals. */
export function ListNavigation({ id }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const list = openList.value;
  const place = findPlace(id);
  const isInList = list && place >= 0;
  const go = async (step) => {
    if (!list || !mayLeave()) return;
    try {
      const found = await findNeighbor(list, place, step);
      if (!found) return announce(`This is the ${step > 0 ? "last" : "first"} referral of the list`);
      openList.value = found.list;
      openInstead(found.row.referral_id);
    } catch (failure) {
      setProblem(failure);
    }
  };
  useShortcuts({
    j: isInList && ["Next referral of the list", () => go(1)],
    k: isInList && ["Previous referral of the list", () => go(-1)],
  });
  const number = isInList ? (list.address.page - 1) * PAGE_ROWS + place + 1 : 0;
  const total = list?.page.total ?? 0;
  return html`<div class="list-navigation">
      <p class="back-link"><a href=${list ? buildListHref(list.address) : "#/"}><${Icon} name="arrow-left" />Worklist</a></p>
      ${
        isInList &&
        html`<nav class="pages" aria-label="Referrals of the list">
        ${number > 1 && html`<button type="button" onClick=${() => go(-1)}>Previous</button>`}
        <span class="small-text tabular-numbers">${number.toLocaleString("en-US")} of ${total.toLocaleString("en-US")}</span>
        ${number < total && html`<button type="button" onClick=${() => go(1)}>Next</button>`}
      </nav>`
      }
    </div>
    ${problem && html`<${Problem} problem=${problem} />`}`;
}
