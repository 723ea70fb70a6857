// The emergency card of a patient after CAR T: one page on paper, folded it fits a wallet.
import { html } from "../platform/dom.js";
import { formatFullName, formatPhone } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatDate } from "../platform/time.js";
import { Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { getReferral } from "../referrals/referrals_api.js";
import { getFollowUp } from "./handback_api.js";

const formatPhoneLink = async (id) => {
  const [referral, followUp] = await Promise.all([getReferral(id), getFollowUp(id)]);
  return { patient: referral.data.patient, practice: referral.data.practice, card: followUp.card };
};

export function EmergencyCard({ id }) {
  const { data, problem, reload } = useLoad(() => formatPhoneLink(id), [id]);
  if (!data) {
    return problem
      ? html`<${PageTitle} page="Emergency card">Emergency card<//><${Problem} problem=${problem} retry=${reload} />`
      : html`<${Loading} what="the card" />`;
  }
  const { patient, practice, card } = data;
  return html`<p class="back-link"><a href=${buildReferralHref(id)}><${Icon} name="arrow-left" />Referral</a></p>
    <div class="title-row">
      <${PageTitle} page="Emergency card">Emergency card<//>
      <span class="spacer" />
      <button type="button" class="primary" onClick=${() => print()}><${Icon} name="printer" />Print</button>
    </div>
    <article class="emergency-card" aria-label="Emergency card">
      <header>
        <p class="emergency-card-title"><${Icon} name="shield-alert" />CAR T cell therapy recipient</p>
        <p class="large-text">${formatFullName(patient)}</p>
        <p class="tabular-numbers">born ${formatDate(patient.birth_date)}</p>
      </header>
      <dl>
        <div><dt>Infused on</dt><dd class="tabular-numbers">${formatDate(card.infused_on)}${card.product && `, ${card.product}`}</dd></div>
        <div class="call"><dt>Call first, 24/7</dt>
          <dd><span class="large-text tabular-numbers">${card.phone ? html`<a href="tel:${card.phone}">${formatPhone(card.phone)}</a>` : "No number on file"}</span> ${card.center}</dd></div>
        ${card.lines.map(({ label, text, source }) => html`<div><dt>${label}</dt><dd>${text}<span class="subtext">${source}</span></dd></div>`)}
        <div><dt>Referring team</dt><dd>${practice.name}</dd></div>
      </dl>
      <p class="emergency-card-note">${card.emergency_call}</p>
      ${card.statements.map((statement) => html`<p class="small-text">${statement}</p>`)}
    </article>`;
}
