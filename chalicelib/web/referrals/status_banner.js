// What lies over the stage: a pause, a request, a gap, why it ended, and what it is linked to.
import { getCenter } from "../centers/centers_api.js";
import { getTimeZone, isPractice } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { getLabel } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatDate, formatTime } from "../platform/time.js";
import { Icon, useLoad } from "../platform/ui.js";

function Banner({ tone = "", icon, children }) {
  return html`<div class="banner ${tone}"><${Icon} name=${icon} /><div>${children}</div></div>`;
}

const Time = ({ at }) => html`<time class="tabular-numbers" datetime=${at}>${formatTime(at, getTimeZone())}</time>`;

function HoldBanner({ hold }) {
  const who = hold.by === "center" ? "the center" : "the practice";
  return html`<${Banner} tone="is-warning" icon="history">
    <p><strong>On hold</strong> since <${Time} at=${hold.since} />, as ${who} says${hold.reason_code && `: ${getLabel(hold.reason_code).toLowerCase()}`}.
      ${hold.expected_until && html` Expected to go on by <span class="tabular-numbers">${formatDate(hold.expected_until)}</span>.`}</p>
  <//>`;
}

function MissingUpdatesBanner({ numbers }) {
  const which = numbers.slice(0, 8).join(", ") + (numbers.length > 8 ? ", …" : "");
  return html`<${Banner} tone="is-warning" icon="circle-alert">
    <p><strong>${numbers.length === 1 ? "An update is missing" : `${numbers.length} updates are missing`}</strong>${" "}
      from the center's system (number <span class="tabular-numbers">${which}</span>), so this page may be behind.
      ${isPractice() ? " When in doubt, call the center." : " An administrator sees under Feed what arrived."}</p>
  <//>`;
}

/** The center that a redirecting one suggests, by name as soon as it is known. */
function SuggestedCenterBanner({ id }) {
  const { data } = useLoad(() => getCenter(id), [id]);
  return html`<p>Suggested instead: ${data ? `${data.name}, ${data.city}, ${data.state}` : "another center"}.</p>`;
}

function OutcomeBanner({ referral: { outcome, revisit_on: revisit, suggested_center_id: suggested } }) {
  return html`<${Banner} icon="route">
    ${
      outcome &&
      html`<p><strong>${outcome.label}.</strong>
      ${outcome.next_step && ` ${isPractice() ? "What you may do next" : "For the referring team"}: ${outcome.next_step}`}</p>`
    }
    ${revisit && html`<p>To be looked at again on <time class="tabular-numbers" datetime=${revisit}>${formatDate(revisit)}</time>.</p>`}
    ${suggested && html`<${SuggestedCenterBanner} id=${suggested} />`}
  <//>`;
}

function LinkedReferrals({ continues, continued_by: next }) {
  return html`<p class="small-text">
    ${continues && html`<a href=${buildReferralHref(continues)}>The earlier referral that this one goes on from</a>`}
    ${continues && next && " · "}
    ${next && html`<a href=${buildReferralHref(next)}>The newer referral that goes on from this one</a>`}
  </p>`;
}

export function StatusBanners({ referral }) {
  const { hold, withdrawal_requested_at: withdrawalAt, toxicity_noticed_at: toxicityAt } = referral;
  return html`
    ${
      withdrawalAt &&
      html`<${Banner} tone="is-warning" icon="circle-alert"><p><strong>Withdrawal requested</strong> by the practice on${" "}
      <${Time} at=${withdrawalAt} />. The center answers it: it ends the referral, or calls.</p><//>`
    }
    ${hold && html`<${HoldBanner} hold=${hold} />`}
    ${referral.missing_updates.length > 0 && html`<${MissingUpdatesBanner} numbers=${referral.missing_updates} />`}
    ${
      referral.updates_lost > 0 &&
      html`<${Banner} tone="is-warning" icon="circle-alert"><p><strong>${referral.updates_lost === 1 ? "An update" : `${referral.updates_lost} updates`}</strong>${" "}
      from the center's system could not be used, because what comes before did not arrive within a day.</p><//>`
    }
    ${
      toxicityAt &&
      html`<${Banner} tone="is-warning" icon="shield-alert"><p><strong>Toxicity noticed</strong> by the center, last on${" "}
      <${Time} at=${toxicityAt} />. Kind and grade stand in the timeline; treatment questions go to the center's line.</p><//>`
    }
    ${(referral.outcome || referral.revisit_on || referral.suggested_center_id) && html`<${OutcomeBanner} referral=${referral} />`}
    ${(referral.continues || referral.continued_by) && html`<${LinkedReferrals} ...${referral} />`}`;
}
