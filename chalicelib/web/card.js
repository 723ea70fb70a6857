// The emergency card of a patient after CAR T: one page on paper, folded it fits a wallet.
import * as api from "./api.js";
import { html } from "./dom.js";
import { toReferral } from "./route.js";
import { dateText } from "./time.js";
import { Icon, Loading, Problem, Title, useLoad } from "./ui.js";
import { fullName, phone } from "./words.js";

const both = async (id) => {
  const [referral, followUp] = await Promise.all([api.referral(id), api.followUp(id)]);
  return { patient: referral.data.patient, practice: referral.data.practice, card: followUp.card };
};

export function EmergencyCard({ id }) {
  const { data, problem, reload } = useLoad(() => both(id), [id]);
  if (!data) {
    return problem
      ? html`<${Title} page="Emergency card">Emergency card<//><${Problem} problem=${problem} retry=${reload} />`
      : html`<${Loading} what="the card" />`;
  }
  const { patient, practice, card } = data;
  return html`<p class="back"><a href=${toReferral(id)}><${Icon} name="arrow-left" />Referral</a></p>
    <div class="head">
      <${Title} page="Emergency card">Emergency card<//>
      <span class="grow" />
      <button type="button" class="primary" onClick=${() => print()}><${Icon} name="printer" />Print</button>
    </div>
    <article class="wallet" aria-label="Emergency card">
      <header>
        <p class="wallet-title"><${Icon} name="shield-alert" />CAR T cell therapy recipient</p>
        <p class="big">${fullName(patient)}</p>
        <p class="num">born ${dateText(patient.birth_date)}</p>
      </header>
      <dl>
        <div><dt>Infused on</dt><dd class="num">${dateText(card.infused_on)}${card.product && `, ${card.product}`}</dd></div>
        <div class="call"><dt>Call first, 24/7</dt>
          <dd><span class="big num">${card.phone ? html`<a href="tel:${card.phone}">${phone(card.phone)}</a>` : "No number on file"}</span> ${card.center}</dd></div>
        ${card.lines.map(({ label, text, source }) => html`<div><dt>${label}</dt><dd>${text}<span class="under">${source}</span></dd></div>`)}
        <div><dt>Referring team</dt><dd>${practice.name}</dd></div>
      </dl>
      <p class="wallet-note">${card.emergency_call}</p>
      ${card.statements.map((statement) => html`<p class="fine">${statement}</p>`)}
    </article>`;
}
