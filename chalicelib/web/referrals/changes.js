// The page of changes of one referral: each fact with its value before and after, newest first.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { formatPhone, formatYesNo, getLabel } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatDate, formatTime } from "../platform/time.js";
import { Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { formatHistology } from "./clinical_labels.js";
import { BASES, SCOPES } from "./consent_labels.js";
import { listChanges } from "./facts_api.js";

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const CODES = /\/(sex|plan_type|disease|product_id|urgency|no_transplant_because)$/;

/** The value of a fact, as people read it. @param {string} pointer @param {any} value @returns {string} */
export function formatFact(pointer, value) {
  if (value === null || value === undefined || value === "") return "None";
  if (typeof value === "boolean") return formatYesNo(value);
  if (Array.isArray(value)) return value.map((each) => formatFact(pointer, each)).join("; ") || "None";
  if (typeof value === "object")
    return Object.values(value)
      .filter((each) => each !== null && each !== "")
      .map((each) => formatFact("", each))
      .join(", ");
  const text = String(value);
  if (pointer.endsWith("/basis")) return BASES[text] ?? text;
  if (pointer.endsWith("/scope")) return SCOPES[text] ?? text;
  if (pointer.endsWith("/histology")) return formatHistology(text);
  if (pointer.endsWith("/phone")) return formatPhone(text);
  if (DAY.test(text)) return formatDate(text) ?? text;
  return CODES.test(pointer) ? getLabel(text) : text;
}

function FactRow({ fact: { pointer, label, previous, new: current } }) {
  return html`<div>
    <dt>${label}</dt>
    <dd><del><span class="visually-hidden">Before: </span>${formatFact(pointer, previous)}</del>
      <ins><span class="visually-hidden">Now: </span>${formatFact(pointer, current)}</ins></dd>
  </div>`;
}

function Revision({ revision }) {
  const { changed_at: at, actor_name: name, side, facts } = revision;
  return html`<li>
    <p><strong>${name}</strong>, ${getLabel(side).toLowerCase()}
      <span class="small-text tabular-numbers"> · <time datetime=${at}>${formatTime(at, getTimeZone())}</time></span></p>
    <dl class="changed-facts">${facts.map((fact) => html`<${FactRow} fact=${fact} />`)}</dl>
  </li>`;
}

export function Changes({ id }) {
  const { data, problem, reload, replace } = useLoad(() => listChanges(id, null), [id]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const more = async () => {
    if (!data) return;
    const next = await listChanges(id, data.next_cursor);
    replace({ ...next, items: data.items.concat(next.items) });
    setFailed(null);
  };
  return html`<p class="back-link"><a href=${buildReferralHref(id)}><${Icon} name="arrow-left" />Referral</a></p>
    <${PageTitle} page="Changes">Changes<//>
    <p class="small-text">Corrections by both teams since the referral was submitted. The earlier value is crossed out.</p>
    <section class="card" aria-label="Changes">
      ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
      ${!data && !problem && html`<${Loading} what="the changes" />`}
      ${data && !data.items.length && html`<p class="small-text">No one has changed the details of this referral.</p>`}
      ${data && html`<ol class="changes">${data.items.map((revision) => html`<${Revision} key=${revision.change_id} revision=${revision} />`)}</ol>`}
      ${failed && html`<${Problem} problem=${failed} />`}
      ${data?.next_cursor && html`<button type="button" onClick=${() => more().catch(setFailed)}>Show earlier changes</button>`}
    </section>`;
}
