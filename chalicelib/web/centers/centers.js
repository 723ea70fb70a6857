// The center finder: which centers offer a therapy, and how far away they are. Centers are not ranked.
import { getTimeZone } from "../identity/member.js";
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useState } from "../platform/dom.js";
import { DISEASES, formatCount } from "../platform/labels.js";
import { formatTime } from "../platform/time.js";
import { announce, Field, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import {
  AGE_LABELS,
  CapacityFact,
  CenterBadges,
  ContactList,
  DistanceText,
  LocalTime,
  PayerList,
  ProductList,
  ReferButton,
} from "./center_facts.js";
import { listCenters, listProducts } from "./centers_api.js";
import { CenterMap } from "./centers_map.js";
import { isShortlisted, MAX_COMPARED, shortlist, toggleShortlisted } from "./shortlist.js";

// The search stays while the user visits other pages. It is never in the address.
const searchParams = signal(/** @type {any} */ ({}));
onSignOut(() => (searchParams.value = {}));

const DISTANCE_OPTIONS = ["25", "50", "100", "200", "300", "500", "1000"].map((miles) => [
  miles,
  `${Number(miles).toLocaleString("en")} miles`,
]);

/** The query of the API from the form, without empty fields. */
function buildQuery(form) {
  const filters = Object.fromEntries(
    [...new FormData(form)].map(([name, value]) => [name.slice(1), String(value).trim()]).filter(([, value]) => value),
  );
  if (!filters.near) delete filters.within_miles;
  return filters;
}

function Filters({ query, errors, products }) {
  const search = (event) => {
    event.preventDefault();
    const filters = buildQuery(event.currentTarget);
    if (JSON.stringify(filters) !== JSON.stringify(searchParams.value)) searchParams.value = filters;
  };
  const describe = (name) => ({
    pointer: `/${name}`,
    value: query[name] || "",
    error: errors.find(({ pointer }) => pointer === `/${name}`)?.message,
  });
  // Not `value`: a response that arrives must not overwrite what the user is typing.
  const typed = (name) => {
    const { value, ...rest } = describe(name);
    return { ...rest, defaultValue: value };
  };
  const any = (text, rows) => [["", text], ...rows];
  return html`<form role="search" aria-label="Centers" class="card center-filters" onSubmit=${search} onChange=${search} noValidate>
    <${Field} ...${typed("near")} label="Near ZIP code" inputmode="numeric" autocomplete="postal-code" maxlength="10" hint="5 or 5+4 digits" />
    <${Field} ...${describe("within_miles")} label="Within" options=${any("Any distance", DISTANCE_OPTIONS)} hint="Straight-line miles" />
    <${Field} ...${describe("product")} label="Product" options=${any(
      "Any product",
      products.map(({ product_id: id, name }) => [id, name]),
    )} />
    <${Field} ...${describe("disease")} label="Disease" options=${any("Any disease", Object.entries(DISEASES))} />
    <${Field} ...${describe("age_group")} label="Age group" options=${[["", "Any age"], ["adult", AGE_LABELS.adult], ["pediatric", AGE_LABELS.pediatric]]} />
    <${Field} ...${describe("accepting")} label="New patients" options=${[["", "Any"], ["true", "Accepting new patients"]]} />
    <${Field} ...${typed("payer")} label="Payer network" hint="Part of the payer's name" maxlength="100" />
    <${Field} ...${typed("q")} label="Name, city, or state" maxlength="100" />
    <p class="buttons"><button type="submit" class="primary"><${Icon} name="search" />Find centers</button></p>
  </form>`;
}

function Compare({ center }) {
  const selected = isShortlisted(center.center_id);
  const full = !selected && shortlist.value.length >= MAX_COMPARED;
  const change = () => {
    toggleShortlisted(center);
    announce(`${shortlist.value.length} of ${MAX_COMPARED} centers selected to compare`);
  };
  return html`<label class="compare-toggle"><input type="checkbox" checked=${selected} disabled=${full} onChange=${change} />
    Compare<span class="visually-hidden"> ${center.name}</span></label>`;
}

function CenterCard({ center, number, near, refer }) {
  return html`<li class="card center-card" id=${center.center_id}>
    <div class="center-card-head">
      <span class="pin tabular-numbers" aria-hidden="true">${number}</span>
      <h3>${center.name}<${CenterBadges} center=${center} /><span class="subtext tabular-numbers">${center.city}, ${center.state} ${center.zip} · ${AGE_LABELS[center.age_group]} · Local time <${LocalTime} center=${center} /></span></h3>
      <strong class="distance"><${DistanceText} center=${center} from=${near?.zip} /></strong>
    </div>
    <dl class="facts">
      <div class="long"><dt>Products</dt><dd><${ProductList} center=${center} /></dd></div>
      <div><dt>Capacity</dt><dd><${CapacityFact} center=${center} /></dd></div>
      <div><dt>Payer networks</dt><dd><${PayerList} center=${center} /></dd></div>
      <div><dt>Contacts</dt><dd><${ContactList} center=${center} /></dd></div>
    </dl>
    <div class="buttons"><${Compare} center=${center} /><span class="spacer" /><${ReferButton} center=${center} refer=${refer} /></div>
  </li>`;
}

/** The first page of results, and the pages that were added to it. */
function usePagedCenters(query) {
  const first = useLoad(() => listCenters(query), [JSON.stringify(query)]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const more = async () => {
    if (!first.data) return;
    const next = await listCenters({ ...query, cursor: first.data.next_cursor });
    first.replace({ ...next, items: first.data.items.concat(next.items) });
    announce(`${formatCount(next.items.length, "more center")} loaded`);
    setFailed(null);
  };
  return { ...first, failed, more: () => more().catch(setFailed) };
}

const describeOrder = ({ near, sorted_by: by }) =>
  by === "distance" && near ? `Sorted by straight-line distance from ${near.zip}, then by name` : "Sorted by name";

/** "12 centers", or "25 or more centers" if there are more pages. */
const describeCount = ({ items, next_cursor: more }) =>
  more ? `${items.length} or more centers` : formatCount(items.length, "center");

function Results({ data, query, failed, more, refer }) {
  if (!data.items.length) {
    return html`<div class="empty-state card"><${Icon} name="search" /><p>No centers match. Increase the distance or remove a filter.</p></div>`;
  }
  return html`<div class="columns center-columns">
    <section aria-labelledby="found-title">
      <h2 id="found-title">${describeCount(data)}
        <span class="small-text"> ${describeOrder(data)}. Not ranked. You and the patient choose.</span></h2>
      ${data.locations_may_be_out_of_date && html`<p class="small-text">The locations of ZIP codes may be out of date (as of ${data.locations_as_of}).</p>`}
      <p class="small-text on-paper">As of ${formatTime(new Date().toISOString(), getTimeZone())}</p>
      <ol class="stack">
        ${data.items.map((center, index) => html`<${CenterCard} key=${center.center_id} center=${center} number=${index + 1} near=${data.near} refer=${refer} />`)}
      </ol>
      ${failed && html`<${Problem} problem=${failed} />`}
      ${data.next_cursor && html`<p class="show-more"><button type="button" onClick=${more}>Show more centers</button></p>`}
    </section>
    <${CenterMap} items=${data.items} near=${data.near} within=${Number(query.within_miles) || 0} chosen=${shortlist.value.map((center) => center.center_id)} />
  </div>`;
}

function Shortlist() {
  const chosen = shortlist.value;
  if (!chosen.length) return null;
  return html`<p class="banner shortlist"><span>Selected to compare: ${chosen.map((center) => center.name).join(", ")}</span><span class="spacer" />
    <a class="button" href="#/centers/compare">Compare ${formatCount(chosen.length, "center")}</a></p>`;
}

/** `refer` starts a referral to the center whose id it takes. */
export function Centers({ refer }) {
  const query = searchParams.value;
  const products = useLoad(listProducts, []);
  const { data, problem, busy, reload, failed, more } = usePagedCenters(query);
  const errors = problem?.errors || [];
  useEffect(() => {
    if (problem && !busy) announce(errors.map((error) => error.message).join(" "));
    else if (data && !busy) announce(describeCount(data));
  }, [data, problem, busy]);
  return html`<${PageTitle} page="Find a center">Find a center<//>
    <${Filters} query=${query} errors=${errors} products=${products.data || []} />
    <${Shortlist} />
    ${problem && !errors.length && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${problem && errors.length > 0 && html`<p class="small-text">Correct the marked fields to search.</p>`}
    ${!data && busy && html`<${Loading} what="centers" />`}
    ${data && !problem && html`<div aria-busy=${busy}><${Results} data=${data} query=${query} failed=${failed} more=${more} refer=${refer} /></div>`}`;
}
