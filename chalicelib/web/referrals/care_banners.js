// What both organizations reported about the patient's care: open adverse events, a relapse, bridging therapy.
import { getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatDay } from "../platform/time.js";
import { getOwnerName } from "./badges.js";
import { BRIDGING_TEAMS, RESPONSES } from "./care_reports.js";

/** One open adverse event: its kind and grade, since when, and what to do first. */
function OpenAdverseEvent({ event, referral }) {
  const { label, since, reported_by: by, advice } = event;
  return html`<li><strong>${label}</strong>, since ${formatDay(since, getTimeZone())}.
    Reported by ${getOwnerName(by, referral)}.${
      advice && html` ${advice.text}<span class="subtext">Source: ${advice.source}</span>`
    }</li>`;
}

/** The open adverse events as a list. */
export function OpenAdverseEvents({ events, referral }) {
  return html`<ul class="stack">
    ${events.map((event) => html`<${OpenAdverseEvent} key=${event.kind} event=${event} referral=${referral} />`)}
  </ul>`;
}

export function RelapseLine({ referral }) {
  const { label, reported_at: at, reported_by: by } = referral.relapse;
  return html`<p><strong>${label}</strong>, ${formatDay(at, getTimeZone())}. Reported by ${getOwnerName(by, referral)}.</p>`;
}

export function BridgingLine({ referral }) {
  const { label, regimen, by, response, reported_at: at, reported_by: reporter } = referral.bridging;
  const facts = [
    regimen && `Regimen: ${regimen}.`,
    by && `Given by: ${BRIDGING_TEAMS[by].toLowerCase()}.`,
    response && `Response: ${RESPONSES[response].toLowerCase()}.`,
  ].filter(Boolean);
  return html`<p><strong>${label}</strong>, ${formatDay(at, getTimeZone())}. ${facts.join(" ")} Reported by ${getOwnerName(reporter, referral)}.</p>`;
}
