// What lies over the stage: a pause, a request, a gap, why it ended, and what it is linked to.
import * as api from "./api.js";
import { html } from "./dom.js";
import { toReferral } from "./route.js";
import { isPractice, zone } from "./state.js";
import { dateText, timeIn } from "./time.js";
import { Icon, useLoad } from "./ui.js";
import { word } from "./words.js";

function Banner({ tone = "", icon, children }) {
  return html`<div class="notice ${tone}"><${Icon} name=${icon} /><div>${children}</div></div>`;
}

const Time = ({ at }) => html`<time class="num" datetime=${at}>${timeIn(at, zone())}</time>`;

function Hold({ hold }) {
  const who = hold.by === "center" ? "the center" : "the practice";
  return html`<${Banner} tone="warn" icon="history">
    <p><strong>On hold</strong> since <${Time} at=${hold.since} />, as ${who} says${hold.reason_code && `: ${word(hold.reason_code).toLowerCase()}`}.
      ${hold.expected_until && html` Expected to go on by <span class="num">${dateText(hold.expected_until)}</span>.`}</p>
  <//>`;
}

function Missing({ numbers }) {
  const which = numbers.slice(0, 8).join(", ") + (numbers.length > 8 ? ", …" : "");
  return html`<${Banner} tone="warn" icon="circle-alert">
    <p><strong>${numbers.length === 1 ? "An update is missing" : `${numbers.length} updates are missing`}</strong>${" "}
      from the center's system (number <span class="num">${which}</span>), so this page may be behind.
      ${isPractice() ? " When in doubt, call the center." : " An administrator sees under Feed what arrived."}</p>
  <//>`;
}

/** The center that a redirecting one suggests, by name as soon as it is known. */
function Suggested({ id }) {
  const { data } = useLoad(() => api.center(id), [id]);
  return html`<p>Suggested instead: ${data ? `${data.name}, ${data.city}, ${data.state}` : "another center"}.</p>`;
}

function Outcome({ referral: { outcome, revisit_on: revisit, suggested_center_id: suggested } }) {
  return html`<${Banner} icon="route">
    ${outcome && html`<p><strong>${outcome.label}.</strong>
      ${outcome.next_step && ` ${isPractice() ? "What you may do next" : "For the referring team"}: ${outcome.next_step}`}</p>`}
    ${revisit && html`<p>To be looked at again on <time class="num" datetime=${revisit}>${dateText(revisit)}</time>.</p>`}
    ${suggested && html`<${Suggested} id=${suggested} />`}
  <//>`;
}

function Links({ continues, continued_by: next }) {
  return html`<p class="fine">
    ${continues && html`<a href=${toReferral(continues)}>The earlier referral that this one goes on from</a>`}
    ${continues && next && " · "}
    ${next && html`<a href=${toReferral(next)}>The newer referral that goes on from this one</a>`}
  </p>`;
}

export function Overlay({ referral }) {
  const { hold, withdrawal_requested_at: asked, toxicity_noticed_at: toxicity } = referral;
  return html`
    ${asked &&
    html`<${Banner} tone="warn" icon="circle-alert"><p><strong>Withdrawal requested</strong> by the practice on${" "}
      <${Time} at=${asked} />. The center answers it: it ends the referral, or calls.</p><//>`}
    ${hold && html`<${Hold} hold=${hold} />`}
    ${referral.missing_updates.length > 0 && html`<${Missing} numbers=${referral.missing_updates} />`}
    ${referral.updates_lost > 0 &&
    html`<${Banner} tone="warn" icon="circle-alert"><p><strong>${referral.updates_lost === 1 ? "An update" : `${referral.updates_lost} updates`}</strong>${" "}
      from the center's system could not be used, because what comes before did not arrive within a day.</p><//>`}
    ${toxicity &&
    html`<${Banner} tone="warn" icon="shield-alert"><p><strong>Toxicity noticed</strong> by the center, last on${" "}
      <${Time} at=${toxicity} />. Kind and grade stand in the timeline; treatment questions go to the center's line.</p><//>`}
    ${(referral.outcome || referral.revisit_on || referral.suggested_center_id) && html`<${Outcome} referral=${referral} />`}
    ${(referral.continues || referral.continued_by) && html`<${Links} ...${referral} />`}`;
}
