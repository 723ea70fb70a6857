// Compares up to three centers, each fact with its date. A referral can start from here.
import { html } from "../platform/dom.js";
import { Icon, PageTitle } from "../platform/ui.js";
import {
  AGE_LABELS,
  CapacityFact,
  CenterBadges,
  ContactList,
  DistanceText,
  FactSource,
  LocalTime,
  PayerList,
  ProductList,
  ReferButton,
} from "./center_facts.js";
import { shortlist, toggleShortlisted } from "./shortlist.js";

/** @type {[string, (center: any) => any][]} */
const ROWS = [
  ["Location", (center) => html`${center.city}, ${center.state} <span class="tabular-numbers">${center.zip}</span>`],
  [
    "Straight-line distance",
    (center) =>
      center.distance_miles == null
        ? html`<span class="small-text">Enter a ZIP code to see the distance</span>`
        : html`<${DistanceText} center=${center} from="the ZIP code" />`,
  ],
  ["Age group", (center) => AGE_LABELS[center.age_group]],
  ["Products", (center) => html`<${ProductList} center=${center} />`],
  ["Capacity", (center) => html`<${CapacityFact} center=${center} />`],
  ["Payer networks", (center) => html`<${PayerList} center=${center} />`],
  ["Contacts", (center) => html`<${ContactList} center=${center} />`],
  ["Local time", (center) => html`<${LocalTime} center=${center} />`],
  ["Source", (center) => html`<${FactSource} center=${center} />`],
];

const EmptyComparison = () => html`<div class="empty-state card"><${Icon} name="search" />
  <p>No centers selected. On Find a center, select Compare for up to three centers.</p></div>`;

function CompareTable({ centers, refer }) {
  return html`<div class="card no-padding"><table role="table" class="compare-table">
    <caption class="visually-hidden">Centers side by side</caption>
    <thead role="rowgroup"><tr role="row">
      <td role="cell"></td>
      ${centers.map((center) => html`<th scope="col" role="columnheader">${center.name}<${CenterBadges} center=${center} /></th>`)}
    </tr></thead>
    <tbody role="rowgroup">
      ${ROWS.map(
        ([name, renderFact]) => html`<tr role="row"><th scope="row" role="rowheader">${name}</th>
          ${centers.map((center) => html`<td role="cell" data-center=${center.name}>${renderFact(center)}</td>`)}</tr>`,
      )}
    </tbody>
    <tfoot role="rowgroup"><tr role="row"><td role="cell"></td>
      ${centers.map(
        (
          center,
        ) => html`<td role="cell" data-center=${center.name}><div class="buttons"><${ReferButton} center=${center} refer=${refer} />
          <button type="button" class="ghost-button" onClick=${() => toggleShortlisted(center)}><${Icon} name="x" />Remove<span class="visually-hidden"> ${center.name}</span></button></div></td>`,
      )}</tr></tfoot>
  </table></div>`;
}

/** `refer` starts a referral to the center whose id it takes. */
export function Compare({ refer }) {
  const centers = shortlist.value;
  return html`<p class="back-link"><a href="#/centers"><${Icon} name="arrow-left" />Find a center</a></p>
    <${PageTitle} page="Compare centers">Compare centers<//>
    <p class="small-text">Shown in the order you selected them. This list is cleared when you sign out or close the page.</p>
    ${centers.length ? html`<${CompareTable} centers=${centers} refer=${refer} />` : html`<${EmptyComparison} />`}`;
}
