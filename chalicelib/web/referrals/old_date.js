// The question about a date long before the referral: the server asks before it accepts such a date.
import { html } from "../platform/dom.js";
import { formatDate } from "../platform/time.js";

/** Whether the server asks if an old date is right. @param {any} problem */
export const asksAboutDate = (problem) => problem?.code === "confirm_old_date";

/**
 * The question, with the date as entered. A confirmation counts only for this date.
 * @param {{when: string, confirmed: boolean, onChange: (confirmed: boolean) => void}} properties
 */
export function OldDateQuestion({ when, confirmed, onChange }) {
  return html`<div class="banner is-warning"><div>
    <p>You entered <strong>${formatDate(when.slice(0, 10))}</strong>, long before this referral began. Is that the right date?</p>
    <label class="check"><input type="checkbox" id="old-date" checked=${confirmed}
      onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />Yes, the date is right</label>
  </div></div>`;
}
