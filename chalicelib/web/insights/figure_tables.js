// The tables of the insights. Each chart is in the table that has its numbers.
import { html } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";

const NOT_SHOWN = html`<span class="small-text">Not shown</span>`;
const TICKS = 4;
const TICK_STEP_DAYS = 20;

/** @param {number} days */
const formatDays = (days) => formatCount(days, "day");

/** @param {{count: number | null}} properties */
const Count = ({ count }) => (count == null ? NOT_SHOWN : count.toLocaleString("en-US"));

/** A table whose rows become blocks on a phone; the roles keep it a table there. */
const Table = ({ caption, columns, children }) => html`<table role="table" class="figures">
  <caption class="visually-hidden">${caption}</caption>
  <thead role="rowgroup"><tr role="row">${columns.map(
    ({ name, label, kind }) => html`<th scope="col" role="columnheader" class=${kind}>${name || label}</th>`,
  )}</tr></thead>
  <tbody role="rowgroup">${children}</tbody>
</table>`;

const Row = ({ name, under, children }) => html`<tr role="row">
  <th scope="row" role="rowheader">${name}${under && html`<span class="subtext">${under}</span>`}</th>
  ${children}
</tr>`;

/** @param {{label: string, kind?: string, children?: any}} properties */
const Cell = ({ label, kind, children }) => html`<td role="cell" class=${kind} data-label=${label}>${children}</td>`;

/** The longest number of days that the charts show: four steps of at least 20 days. */
function findScale(intervals, published) {
  const longest = Math.max(
    ...intervals.map((each) => each.third_quartile_days ?? 0),
    ...published.intervals.map((each) => each.median_days),
  );
  return TICKS * TICK_STEP_DAYS * Math.max(1, Math.ceil(longest / (TICKS * TICK_STEP_DAYS)));
}

/** The middle half as a bar, the median as a line, and the published median as a dashed line. */
function DaysPlot({ figures, published, scale }) {
  const place = (days) => (100 * days) / scale;
  const line = (kind, days) => html`<line class=${kind} x1=${place(days)} x2=${place(days)} y1="1" y2="17" />`;
  const { first_quartile_days: first, median_days: median, third_quartile_days: third } = figures;
  return html`<svg class="plot" viewBox="0 0 100 18" preserveAspectRatio="none" aria-hidden="true">
    <line class="axis" x1="0" x2="100" y1="9" y2="9" />
    ${median != null && html`<rect class="middle" x=${place(first)} width=${place(third - first)} y="3" height="12" />${line("median", median)}`}
    ${published && line("published", published.median_days)}
  </svg>`;
}

const Scale = ({ scale }) =>
  html`<span class="scale">${Array.from(
    { length: TICKS + 1 },
    (_, tick) => html`<span>${(scale / TICKS) * tick}${tick === TICKS && " days"}</span>`,
  )}</span>`;

/** How long each interval takes. */
export function IntervalTable({ group, published }) {
  const scale = findScale(group.intervals, published);
  const columns = [
    { label: "Interval" },
    {
      label: "Days",
      name: html`<span class="visually-hidden">Days, from </span><${Scale} scale=${scale} />`,
      kind: "chart",
    },
    { label: "Median", kind: "number" },
    { label: "Middle half", kind: "number" },
    { label: "Referrals", kind: "number" },
    { label: "Published median", kind: "number" },
  ];
  return html`<${Table} caption="How long each interval takes: ${group.label}" columns=${columns}>
    ${group.intervals.map((each) => {
      const reference = published.intervals.find(({ interval }) => interval === each.interval);
      const isShown = each.median_days != null;
      const none = each.referrals === 0 ? html`<span class="small-text">None yet</span>` : NOT_SHOWN;
      return html`<${Row} name=${each.label} under=${each.acts}>
        <${Cell} label="Days" kind="chart"><${DaysPlot} figures=${each} published=${reference} scale=${scale} /><//>
        <${Cell} label="Median" kind="number">${isShown ? html`<strong>${formatDays(each.median_days)}</strong>` : none}<//>
        <${Cell} label="Middle half" kind="number">${isShown ? `${each.first_quartile_days} to ${formatDays(each.third_quartile_days)}` : none}<//>
        <${Cell} label="Referrals" kind="number"><${Count} count=${each.referrals} /><//>
        <${Cell} label="Published median" kind="number">${reference ? formatDays(reference.median_days) : html`<span class="small-text">None found</span>`}<//>
      <//>`;
    })}
  <//>`;
}

/** A bar for a count. Without a count there is none. @param {{count: number | null, of: number | null}} properties */
const Bar = ({
  count,
  of,
}) => html`<svg class="plot" viewBox="0 0 100 18" preserveAspectRatio="none" aria-hidden="true">
  <line class="axis" x1="0" x2="100" y1="17" y2="17" />
  ${count && of ? html`<rect class="bar" x="0" y="4" width=${(100 * count) / of} height="10" />` : null}
</svg>`;

const SHARE = { label: "Share", name: html`<span class="visually-hidden">Share</span>`, kind: "chart" };
const COUNTS = { label: "Referrals", kind: "number" };

/** How far referrals get. */
export function MilestoneTable({ group }) {
  const columns = [{ label: "Status reached" }, SHARE, COUNTS, { label: "Of all", kind: "number" }];
  return html`<${Table} caption="How far referrals get: ${group.label}" columns=${columns}>
    ${group.milestones.map(
      (each) => html`<${Row} name=${each.label}>
        <${Cell} label="Share" kind="chart"><${Bar} count=${each.referrals} of=${group.milestones[0].referrals} /><//>
        <${Cell} label="Referrals" kind="number"><strong><${Count} count=${each.referrals} /></strong><//>
        <${Cell} label="Of all" kind="number">${each.percent == null ? NOT_SHOWN : `${each.percent}%`}<//>
      <//>`,
    )}
  <//>`;
}

/** Why referrals ended before the infusion. */
export function ReasonTable({ group }) {
  const rows = group.reasons.map((each) => ({ name: each.label, count: each.referrals }));
  if (group.other_reasons !== 0) rows.push({ name: "Other reasons together", count: group.other_reasons });
  const most = Math.max(...rows.map(({ count }) => count ?? 0));
  return html`<${Table} caption="Why referrals ended before infusion: ${group.label}" columns=${[{ label: "Reason" }, SHARE, COUNTS]}>
    ${rows.map(
      ({ name, count }) => html`<${Row} name=${name}>
        <${Cell} label="Share" kind="chart"><${Bar} count=${count} of=${most} /><//>
        <${Cell} label="Referrals" kind="number"><strong><${Count} count=${count} /></strong><//>
      <//>`,
    )}
  <//>`;
}

/** The medians of all groups, side by side. */
export function CompareTable({ insights, what }) {
  const groups = [insights.total, ...insights.groups];
  const columns = [
    { label: what },
    { label: "Referrals", kind: "number" },
    ...insights.total.intervals.map(({ label }) => ({ label, kind: "number" })),
    { label: "Infused", kind: "number" },
  ];
  const find = (group, stage) => group.milestones.find((each) => each.stage === stage).referrals;
  return html`<${Table} caption="Median days of each interval, by ${what.toLowerCase()}" columns=${columns}>
    ${groups.map(
      (group) => html`<${Row} name=${group.label}>
        <${Cell} label="Referrals" kind="number"><${Count} count=${find(group, "submitted")} /><//>
        ${group.intervals.map(
          (each) =>
            html`<${Cell} label=${each.label} kind="number">${each.median_days == null ? NOT_SHOWN : formatDays(each.median_days)}<//>`,
        )}
        <${Cell} label="Infused" kind="number"><${Count} count=${find(group, "infused")} /><//>
      <//>`,
    )}
  <//>`;
}
