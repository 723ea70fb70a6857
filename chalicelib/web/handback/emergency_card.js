// The emergency card of a patient after CAR T. It is one page on paper, and fits a wallet when folded.

import { html } from "../platform/dom.js";
import { LabelLink, listBoxedWarnings, OutOfDate } from "../platform/label_warnings.js";
import { formatFullName } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatBirthDate, formatDate } from "../platform/time.js";
import { Icon, Loading, PageTitle, PhoneLink, Problem, useLoad } from "../platform/ui.js";
import { getReferral } from "../referrals/referrals_api.js";
import { getFollowUp } from "./handback_api.js";

const loadCard = async (/** @type {string} */ id) => {
  const [referral, followUp] = await Promise.all([getReferral(id), getFollowUp(id)]);
  return {
    stage: referral.data.stage,
    patient: referral.data.patient,
    practice: referral.data.practice,
    card: followUp.card,
  };
};

/** @param {{id: string}} properties */
export function EmergencyCard({ id }) {
  const { data, problem, reload } = useLoad(() => loadCard(id), [id]);
  if (!data) {
    return problem
      ? html`<${PageTitle} page="Emergency card">Emergency card<//><${Problem} problem=${problem} retry=${reload} />`
      : html`<${Loading} what="the emergency card" />`;
  }
  const { stage, patient, practice, card } = data;
  const back = html`<p class="back-link"><a href=${buildReferralHref(id)}><${Icon} name="arrow-left" />Referral</a></p>`;
  if (stage === "deceased") {
    return html`${back}<${PageTitle} page="Emergency card">Emergency card<//>
      <p>The patient's death was reported, so there is no card.</p>`;
  }
  return html`${back}
    <div class="title-row">
      <${PageTitle} page="Emergency card">Emergency card<//>
      <span class="spacer" />
      <button type="button" class="primary" onClick=${() => print()}><${Icon} name="printer" />Print</button>
    </div>
    <article class="emergency-card" aria-label="Emergency card">
      <header>
        <p class="emergency-card-title"><${Icon} name="shield-alert" />CAR T cell therapy recipient</p>
        <p class="large-text">${formatFullName(patient)}</p>
        <p class="tabular-numbers">DOB ${formatBirthDate(patient.birth_date)}</p>
      </header>
      <dl>
        <div><dt>CAR T infusion date</dt><dd class="tabular-numbers">${formatDate(card.infused_on)}${`, ${card.product ?? "product not named"}`}</dd></div>
        <div class="call"><dt>Call first (24/7)</dt>
          <dd><span class="large-text">${card.phone ? html`<${PhoneLink} number=${card.phone} />` : "No 24/7 number on file. Call 911 in an emergency."}</span> ${card.center}</dd></div>
        ${
          card.coordinator_phone &&
          html`<div><dt>Center coordinator</dt><dd>${card.coordinator} <${PhoneLink} number=${card.coordinator_phone} /></dd></div>`
        }
        ${card.lines.map(({ label, text, source }) => html`<div><dt>${label}</dt><dd>${text}<span class="subtext">${source}</span></dd></div>`)}
        ${
          card.label &&
          html`<div><dt>Boxed warnings of the label</dt>
          <dd>${listBoxedWarnings(card.label)}<span class="subtext"><${LabelLink} label=${card.label} /></span></dd></div>`
        }
        <div><dt>Referring practice</dt><dd>${practice.name}</dd></div>
      </dl>
      ${card.label && html`<${OutOfDate} sections=${card.label.sections} />`}
      <p class="emergency-card-note">${card.emergency_call}</p>
      ${card.statements.map((statement) => html`<p class="small-text">${statement}</p>`)}
    </article>`;
}
