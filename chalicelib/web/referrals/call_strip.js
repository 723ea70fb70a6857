// Whom to call about a patient, at the top of the page of the referral.
import { isPractice } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatFullName } from "../platform/labels.js";
import { PhoneLink } from "../platform/ui.js";

/** @typedef {{label: string, name?: string, number?: string | null, edit?: (() => void) | false}} Contact */

/** @param {any} referral @returns {Contact[]} The other organization, whose 24/7 line is first. */
function listPartnerContacts({ center, center_contact: contact, referring_provider: provider }) {
  if (!isPractice()) return [{ label: "Referring provider", name: provider?.name, number: provider?.phone }];
  if (!center) return [];
  const coordinator = contact?.phone
    ? { label: "Center contact", name: contact.coordinator, number: contact.phone }
    : { label: "Center intake", number: center.intake_phone };
  return [{ label: "Center's 24/7 line", number: center.after_hours_phone }, coordinator];
}

/** @param {Contact} contact */
const renderContact = ({ label, name, number, edit }) => html`<li>
  <span class="small-text">${name ? `${label}: ${name}` : label}</span>
  ${number ? html`<${PhoneLink} number=${number} />` : html`<span class="none-entered">None entered</span>`}
  ${!number && edit && html`<button type="button" class="link-button" aria-label="Enter the phone number: ${label.toLowerCase()}" onClick=${edit}>Enter</button>`}
</li>`;

/** @param {{referral: any, editPatient: (() => void) | false}} properties */
export function CallStrip({ referral, editPatient }) {
  const { patient } = referral;
  const { caregiver } = patient;
  const contacts = [
    ...listPartnerContacts(referral),
    { label: "Patient", number: patient.phone, edit: editPatient },
    {
      label: "Caregiver",
      name: [caregiver?.name, caregiver?.relation && `(${caregiver.relation})`].filter(Boolean).join(" "),
      number: caregiver?.phone,
      edit: editPatient,
    },
  ];
  return html`<section aria-label="Whom to call about ${formatFullName(patient)}">
    <ul class="call-strip card">${contacts.map(renderContact)}</ul>
  </section>`;
}
