// The electronic benefits check: the button that requests one, and what came of the last one.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatCount } from "../platform/labels.js";
import { formatTime } from "../platform/time.js";
import { announce, Problem, useLoad } from "../platform/ui.js";
import { listChecks, requestCheck } from "./coverage_api.js";

const STATES = { requested: "Waiting for the payer", completed: "Answered", failed: "No answer" };

/** The rows of the payer's answer as the payer sent them. @param {any} properties */
function AnswerRows({ rows }) {
  return html`<details><summary>Show the payer's original answer (${formatCount(rows.length, "row")})</summary>
    <ul class="coverage-rows">${rows.map(
      (/** @type {any} */ row) =>
        html`<li key=${row.number} class="tabular-numbers">${row.number}. ${[
          `code ${row.code}`,
          row.service_types.length > 0 && `service ${row.service_types.join(", ")}`,
          row.plan_name,
          row.amount && `$${row.amount}`,
          row.percent && `${Math.round(Number(row.percent) * 100)}%`,
          row.authorization && `authorization ${row.authorization}`,
          row.in_network && `in network ${row.in_network}`,
          ...row.messages,
        ]
          .filter(Boolean)
          .join(" · ")}</li>`,
    )}</ul></details>`;
}

/**
 * Whether the answer to a check is still awaited. One of an earlier plan is not: a new one replaces it.
 *
 * @param {any} check @param {any} coverage
 */
export const isAwaited = (check, coverage) =>
  check?.state === "requested" && !(coverage.verification === "stale" && coverage.stale_reason === "plan_changed");

/** @param {any} properties */
function LastCheck({ check }) {
  const zone = getTimeZone();
  return html`<p><strong>${STATES[/** @type {"requested"} */ (check.state)]}</strong>
      <span class="small-text tabular-numbers"> ${check.payer}, requested by ${check.requested_by}, ${formatTime(check.requested_at, zone)}</span></p>
    ${check.message && html`<p>${check.message}</p>`}
    ${check.next_try_at && html`<p class="small-text tabular-numbers">Next try ${formatTime(check.next_try_at, zone)}. We keep trying until ${formatTime(check.gives_up_at, zone)}.</p>`}
    ${check.filed && html`<p class="small-text">This answer is about the earlier plan. It changed nothing.</p>`}
    ${check.differences.map(
      (/** @type {any} */ each) =>
        html`<p class="small-text">The payer has “${each.answered}”; you entered ${each.asked ? `“${each.asked}”` : "nothing"}. Check which is right.</p>`,
    )}
    ${check.rows.length > 0 && html`<${AnswerRows} rows=${check.rows} />`}`;
}

/** @param {{coverage: any, onRequested: () => void}} properties */
export function ElectronicCheck({ coverage, onRequested }) {
  const id = coverage.referral_id;
  const { data, problem, reload } = useLoad(() => listChecks(id), [coverage.version]);
  const [refused, setRefused] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const post = useIdempotentRequest((_, key) => requestCheck(id, key));
  const last = data?.[0];
  const mayCheck = coverage.moves.some((/** @type {any} */ { move, allowed }) => move === "result_recorded" && allowed);
  const send = async () => {
    if (busy) return;
    setBusy(true);
    setRefused(null);
    try {
      await post.run(null);
      announce("Check requested. The payer is asked now.");
      await reload();
      onRequested();
    } catch (failure) {
      setRefused(failure);
    }
    setBusy(false);
  };
  return html`<section aria-labelledby="electronic-check">
    <h3 id="electronic-check">Electronic check</h3>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${refused && html`<${Problem} problem=${refused} retry=${refused.passing ? send : null} />`}
    ${last && html`<${LastCheck} check=${last} />`}
    ${
      mayCheck &&
      !isAwaited(last, coverage) &&
      html`<div class="buttons"><button type="button" onClick=${send} aria-disabled=${busy}>${
        busy ? "Sending…" : last ? "Check again" : "Check electronically"
      }</button></div>`
    }
    ${isAwaited(last, coverage) && html`<div class="buttons"><button type="button" onClick=${() => reload().then(onRequested)}>Refresh</button></div>`}
  </section>`;
}
