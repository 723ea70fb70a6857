// A forgotten password: a code by email, then a new password. The page never says whether an account exists.
import { html, useState } from "../platform/dom.js";
import { Field, PageTitle } from "../platform/ui.js";
import { resetPassword, sendResetCode } from "./identity_api.js";
import { SignInForm } from "./sign_in.js";
import { CodeField, NEW_PASSWORD_NOTE, NewPasswordField } from "./sign_in_fields.js";

/** @param {{onBack: (note?: string) => void}} properties */
export function PasswordReset({ onBack }) {
  const [email, setEmail] = useState("");
  const ask = async (form) => {
    const address = form.get("email").trim();
    await sendResetCode(address);
    setEmail(address);
  };
  const reset = async (form) => {
    await resetPassword({ email, code: form.get("code").trim(), new_password: form.get("new-password") });
    onBack(NEW_PASSWORD_NOTE);
  };
  return html`<${PageTitle} page="Forgot password">Forgot your password?<//>
    ${
      email
        ? html`<p class="banner" role="status">If ${email} has an account, a code is on its way. It is valid for 1 hour. If you have never signed in, ask your administrator to send your invitation again.</p>
          <${SignInForm} key="reset" send=${reset} button="Change password" busyText="Saving…">
            <${CodeField} label="Code from the email" />
            <${NewPasswordField} />
          <//>
          <button type="button" class="link-button" onClick=${() => setEmail("")}>Send a new code</button>`
        : html`<${SignInForm} key="ask" send=${ask} button="Send code" busyText="Sending…">
          <${Field} pointer="email" label="Email" type="email" autocomplete="username" required
            hint="We will email you a code." />
        <//>`
    }
    <button type="button" class="link-button" onClick=${() => onBack()}>Back to email and password</button>`;
}
