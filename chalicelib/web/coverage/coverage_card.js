// The coverage card of a referral: its status, who acts next and until when, the four facts, and the forms of the moves.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { keepFocus } from "../platform/focus.js";
import { getLabel } from "../platform/labels.js";
import { formatDate, formatDay, formatTime } from "../platform/time.js";
import { announce, Loading, PhoneLink, Problem, useLoad } from "../platform/ui.js";
import { getCoverage } from "./coverage_api.js";
import { describeAuthorization, describeUntil, describeValidity, describeVerification } from "./coverage_words.js";
import { ElectronicCheck } from "./electronic_check.js";
import { Letter } from "./letter.js";
import { MoveDialog } from "./move_dialog.js";
import { HIDDEN_MOVES, MOVE_FORMS } from "./move_forms.js";
import { arrangeMoves } from "./move_order.js";

/** @type {Record<string, string>} */
const CHIPS = {
  cleared: "is-success",
  denied: "is-error",
  plan_changed: "is-warning",
  expired: "is-warning",
  appeal: "is-warning",
  more_info: "is-warning",
  submitted: "is-warning",
  unable_to_verify: "is-warning",
};
/** @type {Record<string, string>} */
const ACTORS = { practice: "Referring practice", center: "Treatment center", payer: "Payer" };

/** The chip of a coverage state, with a word; the color only repeats it. @param {{coverage: any}} properties */
export const CoverageChip = ({ coverage }) =>
  html`<span class="chip ${CHIPS[coverage.state] ?? ""}">${coverage.label}</span>`;

/** @param {any} coverage */
const describeNext = (coverage) => {
  const { next_actor: actor, next_step: step } = coverage;
  const end = describeUntil(coverage);
  if (!step) return end ? `Cleared ${end}` : "Nothing to do";
  return `${ACTORS[actor]}: ${step[0].toLowerCase()}${step.slice(1)}${end ? ` (${end})` : ""}`;
};

/** @param {{coverage: any}} properties */
function Steps({ coverage }) {
  const zone = coverage.deadline?.kind === "decision" ? "Decision expected by" : "Deadline";
  const rows = [
    [
      "Benefits",
      describeVerification(coverage),
      coverage.verification !== "stale" && describeValidity(coverage.verified_until, "valid until"),
    ],
    [
      "Authorization",
      describeAuthorization(coverage.authorization),
      coverage.authorization_of_earlier_plan
        ? "of the earlier plan"
        : describeValidity(coverage.authorized_until, "until"),
    ],
    ["Case agreement", getLabel(coverage.agreement), ""],
    [
      "Clearance",
      coverage.is_cleared ? "Cleared" : "Not cleared",
      coverage.cleared_until && `until ${formatDate(coverage.cleared_until)}`,
    ],
  ];
  return html`<dl class="facts">${rows.map(
    ([term, value, more]) =>
      html`<div key=${term}><dt>${term}</dt><dd>${value}${more && html` <span class="small-text tabular-numbers">${more}</span>`}</dd></div>`,
  )}
  ${coverage.deadline && html`<div><dt>${zone}</dt><dd class="tabular-numbers">${formatDate(coverage.deadline.on)}</dd></div>`}</dl>`;
}

/** @param {{fact: any}} properties */
function Fact({ fact }) {
  const origin = [
    fact.source_label,
    fact.reference_number && `ref. ${fact.reference_number}`,
    fact.as_of && `as of ${formatDay(fact.as_of, getTimeZone())}`,
    describeValidity(fact.valid_until, "valid until") ?? (fact.source && "no end date given"),
    fact.of_earlier_plan && "about the earlier plan",
  ].filter(Boolean);
  const more = [fact.plan_name, fact.number && `Number ${fact.number}`, ...fact.words, fact.contact].filter(Boolean);
  return html`<li>
    <p><strong>${fact.label}:</strong> ${fact.answer_label}</p>
    ${more.map((line) => html`<p>${line}</p>`)}
    ${fact.costs.map(
      (/** @type {any} */ cost) =>
        html`<p class="tabular-numbers">${getLabel(cost.kind)}: ${cost.amount ? `$${cost.amount}` : `${Math.round(Number(cost.percent) * 100)}%`}</p>`,
    )}
    ${fact.other_payers.map(
      (/** @type {any} */ payer) =>
        html`<p>${getLabel(payer.rank)} payer: ${payer.name}${payer.member_number && `, ${payer.member_number}`}</p>`,
    )}
    ${origin.length > 0 && html`<p class="small-text tabular-numbers">${origin.join(" · ")}</p>`}
  </li>`;
}

/** @param {{coverage: any, open: (move: any, known?: any, title?: string) => void}} properties */
function Moves({ coverage, open }) {
  const allowed = coverage.moves.filter(
    (/** @type {any} */ { move, allowed: may }) => may && MOVE_FORMS[move] && !HIDDEN_MOVES.has(move),
  );
  const button = (/** @type {any} */ { move }) =>
    html`<button type="button" key=${move} onClick=${() => open(move)}>${MOVE_FORMS[move].button}</button>`;
  const { common, rare } = arrangeMoves(coverage.state, allowed);
  if (!allowed.length) return null;
  return html`<div class="buttons">${common.map(button)}</div>
    ${rare.length > 0 && html`<details><summary>More entries</summary><div class="buttons">${rare.map(button)}</div></details>`}`;
}

/** @param {{coverage: any, open: (move: any, known?: any, title?: string) => void}} properties */
function Checklist({ coverage, open }) {
  const left = coverage.checklist.filter((/** @type {any} */ { answer }) => !answer).length;
  const mayEnter = coverage.moves.some((/** @type {any} */ { move, allowed }) => move === "item_verified" && allowed);
  return html`<details><summary>Still to verify (${left} of ${coverage.checklist.length})</summary>
    <ul class="coverage-items">${coverage.checklist.map(
      (/** @type {any} */ { item, label, answer, answered_by: by, answered_at: at }) => html`<li key=${item}>
        <div><p>${label}</p>
          ${answer && html`<p class="note">${answer}</p><p class="small-text tabular-numbers">${by}, ${formatTime(at, getTimeZone())}</p>`}</div>
        ${mayEnter && html`<button type="button" class="ghost-button" aria-label="Enter: ${label}" onClick=${() => open("item_verified", { item }, label)}>${answer ? "Change" : "Enter"}</button>`}
      </li>`,
    )}</ul></details>`;
}

/** @param {{coverage: any}} properties */
function Timers({ coverage }) {
  return html`<details><summary>Time limits of this plan type</summary>
    ${coverage.plan_notes.map((/** @type {string} */ note) => html`<p>${note}</p>`)}
    ${coverage.timers.length === 0 && html`<p>${coverage.plan_own_rule}</p>`}
    <ul class="coverage-rows">${coverage.timers.map(
      (/** @type {any} */ timer) => html`<li key=${timer.step}>
        <p><strong>${timer.label}:</strong> ${timer.days ? `${timer.days} days` : `${timer.hours} hours`} after ${timer.begins}${timer.on && html`, <span class="tabular-numbers">${formatDate(timer.on)}</span>`}</p>
        <p class="small-text">${timer.source}. ${timer.caution} Check the letter; its date counts.</p>
      </li>`,
    )}</ul></details>`;
}

/** @param {{coverage: any}} properties */
function History({ coverage }) {
  return html`<details><summary>History of the coverage (${coverage.history.length})</summary>
    <ol class="coverage-rows">${coverage.history.map(
      (/** @type {any} */ row, /** @type {number} */ index) => html`<li key=${index}>
        <p>${row.label}${row.filed && html` <span class="chip">Filed under the earlier plan</span>`}</p>
        <p class="small-text tabular-numbers">${[row.actor_name, formatTime(row.at, getTimeZone()), row.how && getLabel(row.how), row.reference_number && `ref. ${row.reference_number}`].filter(Boolean).join(" · ")}</p>
      </li>`,
    )}</ol></details>`;
}

/** @param {{coverage: any}} properties */
function FinancialHelp({ coverage }) {
  return html`<ul class="coverage-rows">${coverage.financial_resources.map(
    (
      /** @type {any} */ row,
    ) => html`<li key=${row.resource_id}><p><a href=${row.url} rel="noreferrer">${row.name}</a>, ${row.organization}
      ${row.phone && html` <${PhoneLink} number=${row.phone} />`}</p><p class="small-text">${row.what}</p></li>`,
  )}</ul>`;
}

/** @param {{coverage: any, open: any, reload: any, onLetterSaved: () => unknown}} properties */
function Details({ coverage, open, reload, onLetterSaved }) {
  const letter = html`<${Letter} id=${coverage.referral_id} onSaved=${onLetterSaved} />`;
  if (coverage.state === "not_applicable") return html`<${FinancialHelp} coverage=${coverage} />${letter}`;
  return html`<${Steps} coverage=${coverage} />
    <h3>Check result</h3>
    <p class="small-text">Four separate facts. None implies another.</p>
    <ul class="coverage-facts">${coverage.facts.map((/** @type {any} */ fact) => html`<${Fact} key=${fact.fact} fact=${fact} />`)}</ul>
    <${Moves} coverage=${coverage} open=${open} />
    <${ElectronicCheck} coverage=${coverage} onRequested=${reload} />
    <${Checklist} coverage=${coverage} open=${open} />
    <${Timers} coverage=${coverage} />
    ${letter}
    <${History} coverage=${coverage} />`;
}

/** @param {{referral: any, onSaved: () => unknown}} properties */
export function CoverageCard({ referral, onSaved }) {
  const { data, problem, reload } = useLoad(() => getCoverage(referral.referral_id), [referral.version]);
  const [editing, setEditing] = useState(/** @type {any} */ (null));
  const coverage = data?.data;
  const open = (/** @type {string} */ move, known = {}, title = MOVE_FORMS[move].button) =>
    setEditing({ move, known, title });
  const saved = async (/** @type {string} */ text) => {
    setEditing(null);
    announce(text);
    await reload();
    // The button of the step can be gone.
    keepFocus("#coverage");
    await onSaved();
    keepFocus("#coverage");
  };
  return html`<section class="card coverage" aria-labelledby="coverage">
    <div class="card-head"><h2 id="coverage" tabindex="-1">Coverage</h2>${coverage && html`<${CoverageChip} coverage=${coverage} />`}</div>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!coverage && !problem && html`<${Loading} what="the coverage" />`}
    ${coverage?.warnings.map((/** @type {any} */ { code, message }) => html`<p key=${code} class="banner is-warning">${message}</p>`)}
    ${coverage && html`<p><strong>${describeNext(coverage)}</strong></p><${Details} coverage=${coverage} open=${open} reload=${reload} onLetterSaved=${onSaved} />`}
    ${coverage && html`<p class="small-text">Information only. ${coverage.disclaimer}</p>`}
    ${
      editing &&
      html`<${MoveDialog} move=${editing.move} known=${editing.known} title=${editing.title} coverage=${coverage} etag=${data?.etag}
        onSaved=${saved} onClose=${() => setEditing(null)} />`
    }
  </section>`;
}
