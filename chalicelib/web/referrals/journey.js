// The journey as a stepper: an ordered list of phases, each with its stages and their times.
import { getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatDay, formatTime } from "../platform/time.js";
import { Icon } from "../platform/ui.js";

const STEP_STATE_LABELS = { done: "done", current: "now", not_reported: "not reported", ahead: "ahead" };

function computePhaseState(leg) {
  if (leg.stages.some((step) => step.state === "current")) return "current";
  return leg.stages.every((step) => step.state === "ahead") ? "ahead" : "done";
}

function Step({ step }) {
  return html`<li class=${step.state} aria-current=${step.state === "current" ? "step" : undefined}>
    <span class="dot">${step.state === "done" && html`<${Icon} name="check" />`}</span>
    <span>${step.label}<span class="visually-hidden">, ${STEP_STATE_LABELS[step.state]}</span>
      ${step.at && html`<time class="subtext tabular-numbers" datetime=${step.at} title=${formatTime(step.at, getTimeZone())}>${formatDay(step.at, getTimeZone())}</time>`}
      ${step.state === "not_reported" && html`<span class="subtext" aria-hidden="true">not reported</span>`}
    </span>
  </li>`;
}

export function Journey({ legs }) {
  return html`<section class="card" aria-labelledby="journey">
    <h2 id="journey">Journey</h2>
    <ol class="journey">
      ${legs.map(
        (leg) => html`<li class=${computePhaseState(leg)}>
          <h3>${leg.label}</h3>
          <ol>${leg.stages.map((step) => html`<${Step} step=${step} />`)}</ol>
        </li>`,
      )}
    </ol>
  </section>`;
}
