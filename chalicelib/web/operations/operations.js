// How the service runs, for its operator: what is stuck first. Nothing here is about a patient.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { createIdempotencyKey } from "../platform/idempotent_request.js";
import { formatElapsed, formatTime } from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { listUnreachableMembers, readOperations, retryFailedTasks } from "./operations_api.js";

const REASON_LABELS = { bounced: "Email bounced", complained: "Marked as spam" };

/** "1 job", "2 jobs". */
const count = (number, noun) => `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

/** "5 minutes", "1 hour", "2 days". */
function formatMinutes(minutes) {
  if (minutes < 60) return count(minutes, "minute");
  return minutes < 1440 ? count(Math.floor(minutes / 60), "hour") : count(Math.floor(minutes / 1440), "day");
}

/** The tone and the word of a job's state. */
function describeJob({ late, last_success_at: last }) {
  if (late) return ["is-error", "Late"];
  return last ? ["is-success", "On time"] : ["", "Not run yet"];
}

const showTime = (at) => html`<time datetime=${at} class="tabular-numbers">${formatTime(at, getTimeZone())}</time>`;

/** A table with a heading. The first cell of each row is its header. */
function Table({ title, columns, rows, empty, note }) {
  const id = `table-${title.toLowerCase().replaceAll(" ", "-")}`;
  return html`<section class="stack" aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    ${note && html`<p class="small-text">${note}</p>`}
    ${
      rows.length
        ? html`<div class="card no-padding"><table role="table" class="data-table one-column">
          <caption class="visually-hidden">${title}</caption>
          <thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
          <tbody role="rowgroup">${rows.map(
            ({
              key,
              cells: [first, ...rest],
            }) => html`<tr role="row" key=${key}><th scope="row" role="rowheader">${first}</th>
              ${rest.map((cell) => html`<td role="cell">${cell}</td>`)}</tr>`,
          )}</tbody>
        </table></div>`
        : html`<p class="card">${empty}</p>`
    }
  </section>`;
}

/** What needs the operator, the worst first. Jobs that do not run hold up everything else. */
function listProblems({ jobs, failed_tasks: tasks, connections, organizations }) {
  const late = jobs.filter((job) => job.late);
  const silent = connections.filter((each) => each.silent);
  const locked = organizations.filter((each) => each.locked_at);
  return [
    late.length && [
      "is-error",
      `${count(late.length, "job")} did not run in time: ${late.map((job) => job.label).join(", ")}. See the runbook page JobsSilent.`,
    ],
    tasks.length && [
      "is-error",
      `${count(tasks.length, "task")} failed. Correct the cause, then retry. See the runbook page TasksWereParked.`,
    ],
    silent.length && [
      "is-warning",
      `${count(silent.length, "center")} sent nothing for 48 hours: ${silent.map((each) => each.name).join(", ")}. Call the center's team.`,
    ],
    locked.length && ["is-warning", `${count(locked.length, "organization")} locked.`],
  ].filter(Boolean);
}

function Problems({ data }) {
  const problems = listProblems(data);
  return problems.length
    ? problems.map(
        ([tone, text]) => html`<p class="banner ${tone}"><${Icon} name="circle-alert" /><span>${text}</span></p>`,
      )
    : html`<p class="banner is-success"><${Icon} name="check" /><span>Nothing is stuck.</span></p>`;
}

const Figures = ({ data }) => html`<dl class="card facts">
  <div><dt>Tasks due now</dt><dd>${data.backlog.due.toLocaleString("en-US")}</dd></div>
  <div><dt>Oldest due task</dt><dd>${data.backlog.due ? formatMinutes(data.backlog.oldest_minutes) : "None"}</dd></div>
  <div><dt>Failed tasks</dt><dd>${data.failed_tasks.length}</dd></div>
  <div><dt>Connected centers</dt><dd>${data.connections.length}</dd></div>
  <div><dt>Organizations</dt><dd>${data.organizations.length}</dd></div>
</dl>`;

const listJobRows = (jobs) =>
  jobs.map((job) => ({
    key: job.job,
    cells: [
      html`${job.label}<span class="subtext">every ${formatMinutes(job.every_minutes)}</span>`,
      job.last_success_at ? showTime(job.last_success_at) : "None",
      html`<span class="chip ${describeJob(job)[0]}">${describeJob(job)[1]}</span>`,
    ],
  }));

const listConnectionRows = (connections) =>
  connections.map((each) => ({
    key: each.center_id,
    cells: [
      html`${each.name}<span class="subtext code">${each.center_id}</span>`,
      each.last_delivery_at
        ? html`${showTime(each.last_delivery_at)}<span class="subtext">${formatElapsed(each.last_delivery_at)} ago</span>`
        : "Nothing yet",
      html`<span class="chip ${each.silent ? "is-warning" : "is-success"}">${each.silent ? "Silent" : "Sends updates"}</span>`,
    ],
  }));

const listOrganizationRows = (organizations) =>
  organizations.map((each) => ({
    key: each.tenant_id,
    cells: [
      html`${each.name}<span class="subtext code">${each.tenant_id}</span>`,
      each.kind === "practice" ? "Practice" : "Treatment center",
      each.locked_at
        ? html`<span class="chip is-warning">Locked</span><span class="subtext">since ${showTime(each.locked_at)}</span>`
        : html`<span class="chip is-success">Open</span>`,
    ],
  }));

/** The members who get no email. They load by themselves, because they need one read for each organization. */
function UnreachableMembers() {
  const { data, problem, reload } = useLoad(listUnreachableMembers, []);
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} what="email problems" />`;
  return html`<${Table} title="Email that does not arrive" columns=${["Person", "Organization", "Reason"]}
    note="These people see their notices in the dashboard only. Ask their administrator to correct the address."
    empty="All email arrives."
    rows=${data.items.map((each) => ({
      key: each.member_id,
      cells: [
        each.name,
        each.organization,
        html`${REASON_LABELS[each.reason]}<span class="subtext">since ${showTime(each.since)}</span>`,
      ],
    }))} />`;
}

export function Operations() {
  const { data, problem, reload } = useLoad(readOperations, []);
  const [state, setState] = useState(/** @type {any} */ ({}));
  const retry = async (tasks) => {
    if (state.busy) return;
    setState({ busy: true });
    try {
      const ids = tasks.map((task) => task.outbox_id);
      await retryFailedTasks(ids, createIdempotencyKey());
      announce(`${count(tasks.length, "task")} will run again`);
      setState({});
    } catch (failed) {
      setState({ failed });
    }
    reload();
  };
  const tasks = data?.failed_tasks ?? [];
  return html`<div class="stack">
    <div class="title-row"><${PageTitle} page="Operations">Operations<//><span class="spacer" />
      <button type="button" onClick=${reload} aria-label="Refresh this page"><${Icon} name="refresh-cw" /></button>
      ${tasks.length > 0 && html`<button type="button" class="primary" onClick=${() => retry(tasks)} aria-disabled=${state.busy}>${state.busy ? "Retrying…" : `Retry ${count(tasks.length, "failed task")}`}</button>`}
    </div>
    <p class="lead">${data && html`As of ${showTime(data.as_of)}. `}No patient data is on this page.</p>
    ${(problem || state.failed) && html`<${Problem} problem=${problem || state.failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="how the service runs" />`}
    ${
      data &&
      html`<${Problems} data=${data} /><${Figures} data=${data} />
        <${Table} title="Jobs" columns=${["Job", "Last success", "State"]} rows=${listJobRows(data.jobs)} />
        <${Table} title="Failed tasks" columns=${["Task", "Last failure", "Tries", "Action"]} empty="No failed tasks."
          note="They were tried for hours and are not tried again by themselves."
          rows=${tasks.map((task) => ({
            key: task.outbox_id,
            cells: [
              html`${task.label}<span class="subtext code">${task.outbox_id}</span>`,
              html`<span class="code">${task.error}</span><span class="subtext">${showTime(task.failed_at)}</span>`,
              task.attempts,
              html`<button type="button" onClick=${() => retry([task])} aria-disabled=${state.busy} aria-label="Retry task ${task.outbox_id}">Retry</button>`,
            ],
          }))} />
        <${Table} title="Systems of centers" columns=${["Center", "Last delivery", "State"]} empty="No center has connected its system."
          note="Centers without a webhook secret enter updates by hand." rows=${listConnectionRows(data.connections)} />
        <${UnreachableMembers} />
        <${Table} title="Organizations" columns=${["Organization", "Kind", "Access"]} empty="No organization was added yet."
          note="Add, lock and unlock organizations with the command referrals organizations." rows=${listOrganizationRows(data.organizations)} />`
    }
  </div>`;
}
