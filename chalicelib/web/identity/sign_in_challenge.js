// What the identity service asks after the password: a new password, a code, or a new authenticator app.
import { html, useEffect, useRef } from "../platform/dom.js";
import { AuthenticatorKey } from "./authenticator_key.js";
import { answerChallenge } from "./session.js";
import { SignInForm } from "./sign_in.js";
import { CodeField, NewPasswordField } from "./sign_in_fields.js";

export function Challenge({ challenge, onChallenge, onBack }) {
  const { challenge: name, email, session } = challenge;
  const needsPassword = name === "NEW_PASSWORD_REQUIRED";
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  const send = async (form) => {
    const answer = needsPassword ? { new_password: form.get("new-password") } : { code: form.get("code").trim() };
    try {
      const next = await answerChallenge({ email, session, challenge: name, ...answer });
      if (next) onChallenge({ ...next, email });
    } catch (problem) {
      if (problem.code !== "sign_in_expired") throw problem;
      onBack(problem.message);
    }
  };
  return html`<div ref=${box} class="stack">
    ${challenge.secret && html`<${AuthenticatorKey} secret=${challenge.secret} link=${challenge.otpauth_url} />`}
    <${SignInForm} send=${send} button="Continue">
      ${
        needsPassword
          ? html`<${NewPasswordField} label="Choose a new password" hint="This is your first sign-in. " />`
          : html`<${CodeField} label="Code from your authenticator app" />`
      }
    <//>
    ${
      name === "SOFTWARE_TOKEN_MFA" &&
      html`<p class="small-text">If you no longer have the app, ask your administrator to reset your sign-in.</p>`
    }
    <button type="button" class="link-button" onClick=${() => onBack("")}>Back to email and password</button>
  </div>`;
}
