// The fields for a new password and for a code.
import { html } from "../platform/dom.js";
import { Field } from "../platform/ui.js";

const PASSWORD_HINT = "Use at least 12 characters, with an uppercase letter, a lowercase letter, and a number.";

export const NEW_PASSWORD_NOTE = "Your password has changed. Sign in with the new password.";

export const NewPasswordField = ({ label = "New password", hint = "" }) =>
  html`<${Field} pointer="new-password" label=${label} type="password" autocomplete="new-password" minlength="12" required
    hint=${hint + PASSWORD_HINT} />`;

export const CodeField = ({ label, hint = "6 digits. You can paste it." }) =>
  html`<${Field} pointer="code" label=${label} inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}"
    required hint=${hint} />`;
