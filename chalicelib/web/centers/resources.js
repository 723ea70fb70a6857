// National resources for patients and caregivers, to read together or to print.
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { formatDate } from "../platform/time.js";
import { announce, Field, Icon, Loading, PageTitle, PhoneLink, Problem, useLoad } from "../platform/ui.js";
import { listResources } from "./centers_api.js";

const PAUSE_MS = 250;
const ASKED_BY = { care_team: "The center's social worker or staff must apply", patient: "" };

const ExternalLink = ({ href, children }) =>
  html`<a href=${href} target="_blank" rel="noopener noreferrer">${children}</a>`;

function Sources({ sources }) {
  return html`<details><summary>Sources</summary>
    <ul>${sources.map(
      ({ title, url, as_of: day, dated }) => html`<li>
      <${ExternalLink} href=${url}>${title}<//>, <span class="tabular-numbers">${dated ? "dated" : "no date; read on"} ${formatDate(day)}</span>
    </li>`,
    )}</ul>
  </details>`;
}

function Resource({ resource: r, topics, languages }) {
  const details = [r.hours, ASKED_BY[r.asked_by], r.languages.map((code) => languages[code]).join(", ")].filter(
    Boolean,
  );
  return html`<li class="card">
    <h2>${r.name}</h2>
    <p class="small-text">${r.organization}${r.kind === "public" && " · government agency"}</p>
    <p>${r.topics.map((topic) => html`<span class="chip">${topics[topic]}</span> `)}</p>
    <p>${r.what}</p>
    <p class="contact-line">
      <${PhoneLink} number=${r.phone} />
      <${ExternalLink} href=${r.url}>${r.url.replace(/^https:\/\/(www\.)?|\/$/g, "")}<//>
    </p>
    <p class="small-text">${details.join(" · ")}</p>
    ${r.confirm && html`<p class="confirm"><strong>Check before you rely on this.</strong> ${r.confirm}</p>`}
    <p class="small-text tabular-numbers">Last checked ${formatDate(r.last_checked)}${r.may_be_out_of_date && html` <span class="chip is-warning">May be out of date</span>`}</p>
    <${Sources} sources=${r.sources} />
  </li>`;
}

const listChoices = (labels, all) => [["", all], ...Object.entries(labels)];

function Filters({ choices, query, change }) {
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (event) => {
    const q = event.target.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => change({ q }), PAUSE_MS);
  };
  return html`<form role="search" class="filters fields" onSubmit=${(event) => event.preventDefault()}>
    <${Field} pointer="/topic" label="Help with" value=${query.topic} options=${listChoices(choices.topics, "Any topic")}
      onInput=${(event) => change({ topic: event.target.value })} />
    <${Field} pointer="/language" label="Language" value=${query.language} options=${listChoices(choices.languages, "Any language")}
      onInput=${(event) => change({ language: event.target.value })} />
    <${Field} pointer="/q" label="Search" type="search" placeholder="For example, gas, copay, or myeloma" onInput=${type} />
  </form>`;
}

export function Resources() {
  const [query, setQuery] = useState({ topic: "", language: "", q: "" });
  const { data, problem, reload, busy } = useLoad(() => listResources(query), [JSON.stringify(query)]);
  const count = data?.items.length;
  useEffect(() => {
    if (data && !busy) announce(formatCount(data.items.length, "resource"));
  }, [data]);
  return html`<div class="title-row">
      <${PageTitle} page="Resources">Resources for patients<//>
      <span class="spacer" />
      <button type="button" onClick=${() => print()}><${Icon} name="printer" />Print</button>
    </div>
    <p class="lead">Government agencies and nonprofits, in alphabetical order. No one pays to be listed, and a listing is not an endorsement. Programs change and close, so call before you rely on one.</p>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="resources" />`}
    ${
      data &&
      html`<${Filters} choices=${data} query=${query} change=${(part) => setQuery((old) => ({ ...old, ...part }))} />
      ${count === 0 && html`<div class="empty-state card"><${Icon} name="search" /><p>No resources match. Try fewer words or a different topic.</p></div>`}
      <ul class="resources">
        ${data.items.map((resource) => html`<${Resource} key=${resource.resource_id} resource=${resource} topics=${data.topics} languages=${data.languages} />`)}
      </ul>
      <p class="small-text tabular-numbers">This list was last reviewed ${formatDate(data.reviewed_on)}.</p>`
    }`;
}
