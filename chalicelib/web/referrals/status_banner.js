// Banners besides the status: a hold, a withdrawal request, missing updates, adverse events, the reason
// for the closing, and linked referrals.
import { getCenter } from "../centers/centers_api.js";
import { getTimeZone, isPractice } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatCount, getLabel } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatDate, formatTime } from "../platform/time.js";
import { Icon, useLoad } from "../platform/ui.js";
import { getOwnerName } from "./badges.js";
import { BridgingLine, OpenAdverseEvents, RelapseLine } from "./care_banners.js";

function Banner({ tone = "", icon, children }) {
  return html`<div class="banner ${tone}"><${Icon} name=${icon} /><div>${children}</div></div>`;
}

const Time = ({ at }) => html`<time class="tabular-numbers" datetime=${at}>${formatTime(at, getTimeZone())}</time>`;

function HoldBanner({ referral }) {
  const { hold } = referral;
  return html`<${Banner} tone="is-warning" icon="history">
    <p><strong>On hold</strong> since <${Time} at=${hold.since} />, placed by ${getOwnerName(hold.by, referral)}.
      ${hold.reason_code && ` Reason: ${getLabel(hold.reason_code).toLowerCase()}.`}
      ${hold.expected_until && html` Expected to resume by <span class="tabular-numbers">${formatDate(hold.expected_until)}</span>.`}</p>
  <//>`;
}

/** Updates of the center's system that did not arrive, or were not applied; `then` is what this means. */
function MissingUpdatesBanner({ count, center, then }) {
  return html`<${Banner} tone="is-warning" icon="circle-alert">
    <p><strong>${formatCount(count, "update")} from ${center.name}'s system</strong> ${then}
      ${isPractice() ? ` Call ${center.name} if you need the current status.` : " An administrator can check “Connect your system”."}</p>
  <//>`;
}

/** The center that a redirect suggests. */
function SuggestedCenter({ id }) {
  const { data } = useLoad(() => getCenter(id), [id]);
  return data && html`<p>Suggested center: ${data.name}, ${data.city}, ${data.state}.</p>`;
}

function NextStep({ text }) {
  return text && ` ${isPractice() ? "What you can do next" : "Next step for the referring practice"}: ${text}`;
}

/** The message after a death. It has no label, and only the practice gets the condolence and next steps. */
function DeathBanner({ outcome }) {
  const stopped = "Reminders about this patient have stopped.";
  const condolence = outcome?.next_step ?? `We are sorry for the loss of your patient. ${stopped}`;
  return html`<${Banner} icon="route"><p>${isPractice() ? condolence : stopped}</p><//>`;
}

/** An ending and a later step that cannot both be right: what was reported, and how to settle it. */
function ContradictionBanner({ referral }) {
  const { contradiction: found } = referral;
  const now = found.is_ended
    ? "The referral is closed. If that is wrong, correct the report or reopen the referral."
    : "The referral stays open. If it has ended, report it again with today's date; if not, correct the report.";
  return html`<${Banner} tone="is-warning" icon="circle-alert">
    <p><strong>Two reports contradict each other. Which one is right?</strong></p>
    <p>${getOwnerName(found.reported_by, referral)} reported “${found.ending_label}” as of <${Time} at=${found.ended_at} />,
      but “${found.step_label}” is dated <${Time} at=${found.step_at} />. ${now}</p>
  <//>`;
}

function OutcomeBanner({ referral: { outcome, revisit_on: revisit, suggested_center_id: suggested } }) {
  return html`<${Banner} icon="route">
    ${outcome && html`<p><strong>${outcome.label}.</strong><${NextStep} text=${outcome.next_step} /></p>`}
    ${revisit && html`<p>The center will review again on <time class="tabular-numbers" datetime=${revisit}>${formatDate(revisit)}</time>.</p>`}
    ${suggested && html`<${SuggestedCenter} id=${suggested} />`}
  <//>`;
}

function LinkedReferrals({ continues, continued_by: next }) {
  return html`<p class="small-text">
    ${continues && html`<a href=${buildReferralHref(continues)}>Earlier referral for this patient</a>`}
    ${continues && next && " · "}
    ${next && html`<a href=${buildReferralHref(next)}>Newer referral for this patient</a>`}
  </p>`;
}

/** The patient withdrew consent. The product says what that means, and decides nothing. */
function WithdrawnConsentBanner({ referral }) {
  const { practice, center, consent_to_share: consent } = referral;
  return html`<${Banner} tone="is-error" icon="shield-alert">
    <p><strong>The patient withdrew consent to share</strong> on <time class="tabular-numbers" datetime=${consent.withdrawn_on}>${formatDate(consent.withdrawn_on)}</time>.</p>
    <p>${
      isPractice()
        ? `Do not share more records with ${center?.name ?? "the center"}. It was notified, and gets no more routine email about this patient.`
        : `Do not use or request more records from ${practice.name}. You get no more routine email about this patient.`
    } What was already shared stays on this page. The care team decides what happens next; critical notices still go out.</p>
  <//>`;
}

/** The patient has no insurance. */
function FinancialHelpBanner() {
  return html`<${Banner} tone="is-warning" icon="circle-alert">
    <p><strong>Financial help needed.</strong> The patient has no insurance. <a href="#/resources">See national resources for patients</a>.</p>
  <//>`;
}

export function StatusBanners({ referral }) {
  const { practice, center, withdrawal_requested_at: withdrawalAt, relapse, bridging } = referral;
  const openEvents = referral.adverse_events.filter((event) => event.open);
  const hasOutcome = referral.outcome || referral.revisit_on || referral.suggested_center_id;
  return html`
    ${referral.consent_to_share?.withdrawn_on && html`<${WithdrawnConsentBanner} referral=${referral} />`}
    ${referral.financial_help_needed && referral.phase !== "closed" && html`<${FinancialHelpBanner} />`}
    ${referral.stage === "deceased" && html`<${DeathBanner} outcome=${referral.outcome} />`}
    ${
      withdrawalAt &&
      html`<${Banner} tone="is-warning" icon="circle-alert"><p><strong>${practice.name} asked to withdraw this referral</strong> on${" "}
      <${Time} at=${withdrawalAt} />. Waiting for ${center.name} to close it or call.</p><//>`
    }
    ${referral.contradiction && html`<${ContradictionBanner} referral=${referral} />`}
    ${referral.hold && html`<${HoldBanner} referral=${referral} />`}
    ${
      referral.missing_updates.length > 0 &&
      html`<${MissingUpdatesBanner} count=${referral.missing_updates.length} center=${center}
      then="${referral.missing_updates.length === 1 ? "has" : "have"} not arrived. The status shown may be out of date." />`
    }
    ${
      referral.updates_lost > 0 &&
      html`<${MissingUpdatesBanner} count=${referral.updates_lost} center=${center}
      then="${referral.updates_lost === 1 ? "was" : "were"} not applied, because an earlier update did not arrive within 24 hours." />`
    }
    ${
      openEvents.length > 0 &&
      html`<${Banner} tone="is-warning" icon="shield-alert"><h2>Open adverse events</h2>
      <${OpenAdverseEvents} events=${openEvents} referral=${referral} />
      <p class="small-text">For treatment questions, call the center's 24/7 line.</p><//>`
    }
    ${relapse && relapse.status !== "ruled_out" && html`<${Banner} tone="is-warning" icon="circle-alert"><${RelapseLine} referral=${referral} /><//>`}
    ${bridging && !referral.window && html`<${Banner} icon="history"><${BridgingLine} referral=${referral} /><//>`}
    ${hasOutcome && referral.stage !== "deceased" && html`<${OutcomeBanner} referral=${referral} />`}
    ${(referral.continues || referral.continued_by) && html`<${LinkedReferrals} ...${referral} />`}`;
}
