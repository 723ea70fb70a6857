// Insights: how long steps take, how far referrals get, and why they end, from the organization's own referrals.
import { getTimeZone, hasClinicalAccess, isPractice } from "../identity/member.js";
import { html, useEffect, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { formatCount } from "../platform/labels.js";
import { saveFile } from "../platform/save_file.js";
import { formatDate, formatTime } from "../platform/time.js";
import { announce, Field, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { CompareTable, IntervalTable, MilestoneTable, ReasonTable } from "./figure_tables.js";
import { exportTables, getInsights } from "./insights_api.js";

const PERIODS = [
  ["12_months", "12 months"],
  ["all", "All"],
];
const GROUPING_LABELS = { center: "Center", product: "Product" };

/** The medians and findings of others, with their sources. */
const Sources = ({ published }) => html`<div class="small-text sources">
  <p>Published figures are for comparison. They are not goals.</p>
  <ul>${published.sources.map(
    (source) => html`<li>
    <a href=${source.url} target="_blank" rel="noopener noreferrer">${source.title}</a>, published ${formatDate(source.published_on)}, read ${formatDate(source.read_on)}: ${source.population}.
  </li>`,
  )}</ul>
</div>`;

/** What the figures count, in plain words. */
const Method = () => html`<details class="card method"><summary>How these figures are counted</summary>
  <ul>
    <li>Each submitted referral counts once, with its history as it is now: late updates, corrections and reopened referrals are in their right place. Drafts and erased referrals do not count. Two referrals of one patient are two referrals.</li>
    <li>The 12 months are this calendar month and the 11 before it, by the day of the referral.</li>
    <li>Days are calendar days at the center. Time on hold counts. If a step happened more than once, the last time counts, except for the submission.</li>
    <li>An interval counts once both of its steps are reported. Referrals that are still waiting are not in it, so recent figures can look faster than they will be. Steps that a center does not report are not counted.</li>
    <li>An interval is left out if its steps are in the wrong order or more than 2 years apart: a date is probably wrong. A summary that is ready before monitoring ends counts as 0 days.</li>
    <li>The middle half goes from the first to the third quartile: a quarter of the referrals were faster, and a quarter slower.</li>
    <li>“Still open” means neither infused nor ended. Those referrals are in the counts of the steps that they reached.</li>
    <li>Groups of 1 to 4 referrals are not shown. To keep them from being computed by subtraction, some larger figures are not shown either. That applies to the exported tables, too.</li>
  </ul>
</details>`;

function Filters({ choice, change, insights, group, pickGroup }) {
  const groupings = [["none", "Nothing"], ...(isPractice() ? [["center", "Center"]] : []), ["product", "Product"]];
  return html`<form class="insight-filters" aria-label="Filters" onSubmit=${(event) => event.preventDefault()}>
    <${RadioChoice} pointer="/period" label="Period" options=${PERIODS} value=${choice.period} onPick=${(period) => change({ period })} />
    <${Field} pointer="/grouping" label="Compare by" value=${choice.grouping} options=${groupings}
      onInput=${(event) => change({ grouping: event.target.value })} />
    ${
      insights?.groups.length > 0 &&
      html`<${Field} pointer="/group" label="Figures of" value=${String(group)}
        options=${[insights.total, ...insights.groups].map(({ label }, place) => [String(place), label])}
        onInput=${(event) => pickGroup(Number(event.target.value))} />`
    }
  </form>`;
}

/** The period, and how many referrals it has. */
function Lead({ insights }) {
  const count = insights.total.milestones[0].referrals;
  const since = insights.starts_on ? ` since ${formatDate(insights.starts_on)}` : "";
  return html`<p class="lead">${count == null ? `Fewer than ${insights.smallest_group} referrals` : formatCount(count, "referral")}${since}, from your own organization. As of ${formatTime(insights.as_of, getTimeZone())}.</p>`;
}

/** Why figures are missing, if some are. */
function Gaps({ insights }) {
  const count = insights.total.milestones[0].referrals;
  const texts = [
    count == null &&
      `There are fewer than ${insights.smallest_group} referrals in this period, so no figures are shown. They could say something about a single patient.`,
    count != null &&
      count > 0 &&
      `“Not shown” protects single patients: the group has fewer than ${insights.smallest_group} referrals, or such a group could be computed from the figure.`,
    insights.grouping !== "none" &&
      insights.groups.length === 0 &&
      "These groups cannot be compared yet: too few of them have enough referrals.",
    insights.has_more && "Your organization has more than 10,000 referrals. The ones that changed last are counted.",
    insights.has_old_rows &&
      "Referrals that did not change since the last upgrade are not counted. Ask the operator of this service to run the migration.",
  ];
  return texts.filter(Boolean).map((text) => html`<p class="small-text">${text}</p>`);
}

const Key = () => html`<p class="plot-key small-text">
  <span><svg class="plot" viewBox="0 0 20 12" aria-hidden="true"><rect class="middle" x="0" y="2" width="20" height="8" /></svg>Middle half</span>
  <span><svg class="plot" viewBox="0 0 20 12" aria-hidden="true"><line class="median" x1="10" x2="10" y1="0" y2="12" /></svg>Median</span>
  <span><svg class="plot" viewBox="0 0 20 12" aria-hidden="true"><line class="published" x1="10" x2="10" y1="0" y2="12" /></svg>Published median, not a goal</span>
</p>`;

function Endings({ group, published }) {
  const isEmpty = group.ended === 0;
  return html`<section class="card no-padding" aria-labelledby="reasons">
    <header class="card-head"><h2 id="reasons">Why referrals ended before infusion</h2>
      ${group.ended != null && html`<span class="small-text">${formatCount(group.ended, "referral")} ended</span>`}</header>
    ${isEmpty ? html`<p class="small-text figures-note">No referral ended before infusion.</p>` : html`<${ReasonTable} group=${group} />`}
    <p class="small-text figures-note">Published for comparison: ${published.endings.map(({ text }) => text).join("; ")} (${published.sources.map(({ title }) => title).join("; ")}).</p>
  </section>`;
}

const Figures = ({ group, published }) => html`<section class="card no-padding" aria-labelledby="intervals">
    <header class="card-head"><h2 id="intervals">How long each interval takes</h2><${Key} /></header>
    <${IntervalTable} group=${group} published=${published} />
  </section>
  <div class="figure-halves">
    <section class="card no-padding" aria-labelledby="milestones">
      <header class="card-head"><h2 id="milestones">How far referrals get</h2>
        ${group.open != null && html`<span class="small-text">${group.open.toLocaleString("en-US")} still open before infusion</span>`}</header>
      <${MilestoneTable} group=${group} />
    </section>
    <${Endings} group=${group} published=${published} />
  </div>`;

/** The button that downloads the tables. */
function ExportButton({ choice }) {
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const download = async () => {
    try {
      // The browser drops the mark of UTF-8 when it reads the text, and Excel needs it.
      const file = new Blob(["\ufeff", await exportTables(choice)], { type: "text/csv" });
      saveFile(file, `insights-${choice.period}-${choice.grouping}.csv`);
      setFailed(null);
      announce("Tables downloaded");
    } catch (problem) {
      setFailed(problem);
    }
  };
  return html`<button type="button" class="primary" onClick=${download}>Export tables</button>
    ${failed && html`<${Problem} problem=${failed} retry=${download} />`}`;
}

export function Insights() {
  const [choice, setChoice] = useState({ period: "12_months", grouping: "none" });
  const [group, setGroup] = useState(0);
  const isAllowed = hasClinicalAccess();
  const { data, problem, busy, reload } = useLoad(
    async () => (isAllowed ? getInsights(choice) : null),
    [JSON.stringify(choice)],
  );
  const change = (part) => {
    setGroup(0);
    setChoice((old) => ({ ...old, ...part }));
  };
  useEffect(() => {
    if (data && !busy) announce("Figures updated");
  }, [data]);
  if (!isAllowed)
    return html`<${PageTitle} page="Insights">Insights<//><p class="banner">Your role does not include patient records. Ask your administrator if you need access.</p>`;
  const shown = data && ([data.total, ...data.groups][group] ?? data.total);
  const count = data?.total.milestones[0].referrals;
  return html`<div class="title-row"><${PageTitle} page="Insights">Insights<//><span class="spacer" />
      ${data && html`<${ExportButton} choice=${choice} />`}</div>
    ${data && html`<${Lead} insights=${data} />`}
    <${Filters} choice=${choice} change=${change} insights=${data} group=${group} pickGroup=${setGroup} />
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="insights" />`}
    ${data && html`<${Gaps} insights=${data} />`}
    ${count === 0 && html`<div class="empty-state card"><${Icon} name="inbox" /><p>No referrals in this period. The figures appear once referrals are submitted.</p></div>`}
    ${
      data &&
      !!count &&
      html`${
        data.groups.length > 0 &&
        html`<section class="card no-padding compare-figures" aria-labelledby="compare" tabindex="0">
        <header class="card-head"><h2 id="compare">Median days by ${GROUPING_LABELS[data.grouping].toLowerCase()}</h2></header>
        <${CompareTable} insights=${data} what=${GROUPING_LABELS[data.grouping]} />
      </section>`
      }
      <${Figures} group=${shown} published=${data.published} />`
    }
    ${data && html`<${Sources} published=${data.published} /><${Method} />`}`;
}
