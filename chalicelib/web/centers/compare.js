// Up to three centers side by side, each fact with its date; and from here to the referral.
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
  ["Where", (center) => html`${center.city}, ${center.state} <span class="tabular-numbers">${center.zip}</span>`],
  [
    "Straight-line distance",
    (center) =>
      center.distance_miles == null
        ? html`<span class="small-text">No ZIP code was named</span>`
        : html`<${DistanceText} center=${center} from="the ZIP code" />`,
  ],
  ["Treats", (center) => AGE_LABELS[center.age_group]],
  ["Products", (center) => html`<${ProductList} center=${center} />`],
  ["Capacity", (center) => html`<${CapacityFact} center=${center} />`],
  ["Payer networks", (center) => html`<${PayerList} center=${center} />`],
  ["Contacts", (center) => html`<${ContactList} center=${center} />`],
  ["Time zone", (center) => html`<${LocalTime} center=${center} />`],
  ["Who says so", (center) => html`<${FactSource} center=${center} />`],
];

const NotKnown = () => html`<div class="empty-state card"><${Icon} name="search" />
  <p>No center is on your list. Tick "Compare" at up to three.</p></div>`;

function CompareTable({ centers, refer }) {
  return html`<div class="card no-padding"><table role="table" class="compare-table">
    <caption class="visually-hidden">Centers side by side</caption>
    <thead role="rowgroup"><tr role="row">
      <td role="cell"></td>
      ${centers.map((center) => html`<th scope="col" role="columnheader">${center.name}<${CenterBadges} center=${center} /></th>`)}
    </tr></thead>
    <tbody role="rowgroup">
      ${ROWS.map(
        ([name, tell]) => html`<tr role="row"><th scope="row" role="rowheader">${name}</th>
          ${centers.map((center) => html`<td role="cell" data-center=${center.name}>${tell(center)}</td>`)}</tr>`,
      )}
    </tbody>
    <tfoot role="rowgroup"><tr role="row"><td role="cell"></td>
      ${centers.map(
        (
          center,
        ) => html`<td role="cell" data-center=${center.name}><div class="buttons"><${ReferButton} center=${center} refer=${refer} />
          <button type="button" class="ghost-button" onClick=${() => toggleShortlisted(center)}><${Icon} name="x" />Take off<span class="visually-hidden"> ${center.name}</span></button></div></td>`,
      )}</tr></tfoot>
  </table></div>`;
}

/** `refer` starts a referral to the center whose id it takes. */
export function Compare({ refer }) {
  const centers = shortlist.value;
  return html`<p class="back-link"><a href="#/centers"><${Icon} name="arrow-left" />Find a center</a></p>
    <${PageTitle} page="Compare centers">Compare centers<//>
    <p class="small-text">In the order in which you chose them. The list is forgotten when you sign out or close this page.</p>
    ${centers.length ? html`<${CompareTable} centers=${centers} refer=${refer} />` : html`<${NotKnown} />`}`;
}
