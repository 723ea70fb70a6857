// The step for product, treatment center, and urgency. Centers are not ranked.
import { listCenters, listProducts } from "../centers/centers_api.js";
import { isShortlisted } from "../centers/shortlist.js";
import { html, useEffect, useState } from "../platform/dom.js";
import { DraftChoice, DraftField, FieldGroup } from "../platform/form_fields.js";
import { formatPhone, getLabel } from "../platform/labels.js";
import { formatDate } from "../platform/time.js";
import { Icon, Loading, Problem, toFieldId, useLoad } from "../platform/ui.js";

const PAUSE_MS = 250;

function AuthorizedProducts({ center, product }) {
  const row = center.products.find(({ product_id: id }) => id === product);
  if (!row)
    return html`<span class="small-text">${center.products.map(({ product_id: id }) => getLabel(id)).join(", ")}</span>`;
  return html`<span class="small-text tabular-numbers">${getLabel(product)}: listed as authorized by ${row.certified_by}, as of ${formatDate(row.as_of)}</span>`;
}

function CenterRow({ center, product, chosen, onPick }) {
  return html`<label class="center">
    <input type="radio" name="/center_id" checked=${chosen} onChange=${() => onPick(center.center_id)} />
    <span>
      <strong>${center.name}</strong>
      ${center.fictional && html` <span class="chip">Fictional</span>`}
      ${!center.accepts_new && html` <span class="chip is-warning">Not accepting new patients</span>`}
      ${isShortlisted(center.center_id) && html` <span class="chip is-accent">On your compare list</span>`}
      <span class="subtext tabular-numbers">${center.distance_miles != null && `${Math.round(center.distance_miles).toLocaleString("en")} mi · `}${center.city}, ${center.state} ${center.zip} · ${formatPhone(center.intake_phone)}</span>
      <${AuthorizedProducts} center=${center} product=${product} />
    </span>
  </label>`;
}

/** If the location of the patient's ZIP code is not known, search again without it, sorted by name. */
const searchCenters = (query) =>
  listCenters(query).catch((problem) => {
    if (!problem.errors?.some((error) => error.pointer === "/near")) throw problem;
    return listCenters({ ...query, near: undefined });
  });

/** The matching centers, page by page. */
function useCenterSearch(query) {
  const first = useLoad(() => searchCenters(query), [JSON.stringify(query)]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const more = async () => {
    if (!first.data) return;
    const next = await listCenters({ ...query, near: first.data.near?.zip, cursor: first.data.next_cursor });
    first.replace({ ...next, items: first.data.items.concat(next.items) });
    setFailed(null);
  };
  return { ...first, problem: first.problem || failed, more: () => more().catch(setFailed) };
}

function CenterList({ draft }) {
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const product = draft.get("/product_id");
  const zip = draft.get("/patient/zip").trim();
  const near = /^\d{5}(-\d{4})?$/.test(zip) ? zip : undefined;
  const { data, problem, busy, reload, more } = useCenterSearch({
    near,
    product,
    disease: draft.get("/clinical/disease"),
    q,
  });
  const chosen = draft.get("/center_id");
  const pick = (id) => draft.set("/center_id", id);
  return html`<section class="card">
    <h2>Treatment center</h2>
    <p class="small-text">${data?.near ? "Sorted by straight-line distance from the patient's ZIP code, then by name." : "Sorted by name."} Not ranked. You and the patient choose.</p>
    <p class="field"><label for=${toFieldId("/center_id")}>Search by name or city</label>
      <input id=${toFieldId("/center_id")} type="search" autocomplete="off" value=${typed} onInput=${(event) => setTyped(event.target.value)} /></p>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && busy && html`<${Loading} what="centers" />`}
    ${
      data &&
      html`<fieldset class="plain centers" aria-busy=${busy}>
      <legend class="visually-hidden">Treatment center</legend>
      ${data.items.map(
        (center) => html`<${CenterRow} key=${center.center_id} center=${center} product=${product}
          chosen=${center.center_id === chosen} onPick=${pick} />`,
      )}
    </fieldset>
    <p role="status" class="small-text">${data.items.length ? "" : "No centers match. Change the search, product, or disease."}</p>`
    }
    ${data?.next_cursor && html`<button type="button" onClick=${more}>Show more centers</button>`}
    ${chosen && html`<p><button type="button" class="ghost-button" onClick=${() => pick("")}><${Icon} name="x" />Clear center</button></p>`}
  </section>`;
}

export function CenterStep({ draft }) {
  const { data, problem, reload } = useLoad(listProducts, []);
  const disease = draft.get("/clinical/disease");
  const matching = (data || []).filter(({ diseases }) => !disease || diseases.includes(disease));
  const options = [
    ["", "Not chosen yet"],
    ...matching.map(({ product_id: id, name, generic }) => [id, `${name} (${generic})`]),
  ];
  return html`<${FieldGroup} title="Product and urgency" lead=${disease && `Products labeled for ${getLabel(disease)}. The center decides which one, if any, is right for the patient.`}>
      ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
      <${DraftField} draft=${draft} pointer="/product_id" label="Planned product" optional options=${options} />
      <${DraftChoice} draft=${draft} pointer="/urgency" label="Urgency" options=${[["routine", "Routine"], ["urgent", "Urgent"]]} />
      <${DraftField} draft=${draft} pointer="/referred_on" label="Already referred on" type="date" optional disabled=${!!draft.referral.value?.submitted_at}
        hint="Only for a patient who was referred before today, at most two years ago." />
    <//>
    <${CenterList} draft=${draft} />`;
}
