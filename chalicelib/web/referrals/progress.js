// The progress of a referral: an ordered list of phases, each with its steps and their dates.
import { getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatDay, formatTime } from "../platform/time.js";
import { Icon } from "../platform/ui.js";

/**
 * @typedef {import("../platform/api_types.js").JourneyPhaseResponse} Phase
 * @typedef {import("../platform/api_types.js").JourneyStepResponse} PhaseStep
 */

const NOT_REPORTED = "not reported by the center";
/** @type {Record<string, string>} */
const STEP_STATE_LABELS = { done: "done", current: "now", not_reported: NOT_REPORTED, ahead: "upcoming" };

/** @param {Phase} phase */
function computePhaseState({ stages }) {
  if (stages.some((step) => step.state === "current")) return "current";
  return stages.every((step) => step.state === "ahead") ? "ahead" : "done";
}

/** @param {{step: PhaseStep}} properties */
function Step({ step }) {
  return html`<li class=${step.state} aria-current=${step.state === "current" ? "step" : undefined}>
    <span class="dot">${step.state === "done" && html`<${Icon} name="check" />`}</span>
    <span>${step.label}<span class="visually-hidden">, ${STEP_STATE_LABELS[step.state]}</span>
      ${step.at && html`<time class="subtext tabular-numbers" datetime=${step.at} title=${formatTime(step.at, getTimeZone())}>${formatDay(step.at, getTimeZone())}</time>`}
      ${step.state === "not_reported" && html`<span class="subtext" aria-hidden="true">${NOT_REPORTED}</span>`}
    </span>
  </li>`;
}

/** The day on which the latest step of a phase was reported. @param {Phase} phase */
const getLatestTime = ({ stages }) => stages.findLast((step) => step.at)?.at;

/** One phase in the row: its name, and how far it is. @param {{phase: Phase}} properties */
function PhaseCell({ phase }) {
  const state = computePhaseState(phase);
  const at = getLatestTime(phase);
  return html`<li class=${state} aria-current=${state === "current" ? "step" : undefined}>
    ${phase.label}<span class="visually-hidden">, ${STEP_STATE_LABELS[state]}</span>
    ${at && html`<time class="subtext tabular-numbers" datetime=${at}>${formatDay(at, getTimeZone())}</time>`}
  </li>`;
}

/** @param {{phases: Phase[]}} properties */
export function Progress({ phases }) {
  const steps = phases.flatMap(({ stages }) => stages).length;
  return html`<section class="card" aria-labelledby="progress">
    <h2 id="progress">Progress</h2>
    <ol class="phases">${phases.map((phase) => html`<${PhaseCell} phase=${phase} />`)}</ol>
    <details>
      <summary>All ${steps} steps with their dates</summary>
      <ol class="progress">
        ${phases.map(
          (phase) => html`<li class=${computePhaseState(phase)}>
            <h3>${phase.label}</h3>
            <ol>${phase.stages.map((step) => html`<${Step} step=${step} />`)}</ol>
          </li>`,
        )}
      </ol>
    </details>
  </section>`;
}
