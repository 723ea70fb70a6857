// Up to three centers side by side, each fact with its date; and from here to the referral.
import { AGES, Capacity, Contacts, Marks, Miles, Payers, Products, Refer, Told, Zone } from "./center_facts.js";
import { html } from "./dom.js";
import { shortlist, toggle } from "./shortlist.js";
import { Icon, Title } from "./ui.js";

const ROWS = [
  ["Where", (center) => html`${center.city}, ${center.state} <span class="num">${center.zip}</span>`],
  ["Straight-line distance", (center) => (center.distance_miles == null ? html`<span class="fine">No ZIP code was named</span>` : html`<${Miles} center=${center} from="the ZIP code" />`)],
  ["Treats", (center) => AGES[center.age_group]],
  ["Products", (center) => html`<${Products} center=${center} />`],
  ["Capacity", (center) => html`<${Capacity} center=${center} />`],
  ["Payer networks", (center) => html`<${Payers} center=${center} />`],
  ["Contacts", (center) => html`<${Contacts} center=${center} />`],
  ["Time zone", (center) => html`<${Zone} center=${center} />`],
  ["Who says so", (center) => html`<${Told} center=${center} />`],
];

const Nothing = () => html`<div class="empty-state card"><${Icon} name="search" />
  <p>No center is on your list. Tick "Compare" at up to three.</p></div>`;

function Table({ centers }) {
  return html`<div class="card flush"><table role="table" class="compared">
    <caption class="unseen">Centers side by side</caption>
    <thead role="rowgroup"><tr role="row">
      <td role="cell"></td>
      ${centers.map((center) => html`<th scope="col" role="columnheader">${center.name}<${Marks} center=${center} /></th>`)}
    </tr></thead>
    <tbody role="rowgroup">
      ${ROWS.map(
        ([name, tell]) => html`<tr role="row"><th scope="row" role="rowheader">${name}</th>
          ${centers.map((center) => html`<td role="cell" data-center=${center.name}>${tell(center)}</td>`)}</tr>`,
      )}
    </tbody>
    <tfoot role="rowgroup"><tr role="row"><td role="cell"></td>
      ${centers.map(
        (center) => html`<td role="cell" data-center=${center.name}><div class="buttons"><${Refer} center=${center} />
          <button type="button" class="quiet" onClick=${() => toggle(center)}><${Icon} name="x" />Take off<span class="unseen"> ${center.name}</span></button></div></td>`,
      )}</tr></tfoot>
  </table></div>`;
}

export function Compare() {
  const centers = shortlist.value;
  return html`<p class="back"><a href="#/centers"><${Icon} name="arrow-left" />Find a center</a></p>
    <${Title} page="Compare centers">Compare centers<//>
    <p class="fine">In the order in which you chose them. The list is forgotten when you sign out or close this page.</p>
    ${centers.length ? html`<${Table} centers=${centers} />` : html`<${Nothing} />`}`;
}
