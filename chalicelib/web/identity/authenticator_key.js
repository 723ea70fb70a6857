// The key of a new authenticator app, as text for another device and as a link for this one.
import { html } from "../platform/dom.js";

/** Groups of four are easier to type. @param {string} secret */
const formatKey = (secret) => secret.match(/.{1,4}/g)?.join(" ");

/** @param {{secret: string, link: string}} properties */
export function AuthenticatorKey({ secret, link }) {
  return html`<section class="stack">
    <h2>Set up your authenticator app</h2>
    <ol class="stack">
      <li>Install an authenticator app on your phone, if you do not have one.</li>
      <li>On your phone, <a href=${link}>open the app with this link</a>. On another device, add an account in the app and enter this key:
        <p><code>${formatKey(secret)}</code></p></li>
      <li>Enter the code that the app shows. You have 15 minutes.</li>
    </ol>
  </section>`;
}
