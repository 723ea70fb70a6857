// The member's own password and authenticator app. After a change, every session ends.
import { html, useState } from "../platform/dom.js";
import { Field, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { AuthenticatorKey } from "./authenticator_key.js";
import { changePassword, confirmAuthenticator, getAuthenticator, startAuthenticator } from "./identity_api.js";
import { isAdmin, me } from "./member.js";
import { endSessionInAllTabs } from "./session.js";
import { SignInForm } from "./sign_in.js";
import { CodeField, NEW_PASSWORD_NOTE, NewPasswordField } from "./sign_in_fields.js";

/** The name differs between forms, because a page has each id once. */
const CurrentPassword = ({ name }) =>
  html`<${Field} pointer=${name} label="Current password" type="password" autocomplete="current-password" required />`;

function Password() {
  const send = async (form) => {
    await changePassword({ current_password: form.get("current-password"), new_password: form.get("new-password") });
    endSessionInAllTabs(NEW_PASSWORD_NOTE);
  };
  return html`<section class="card stack">
    <h2>Password</h2>
    <${SignInForm} send=${send} button="Change password" busyText="Saving…">
      <${CurrentPassword} name="current-password" />
      <${NewPasswordField} />
    <//>
    <p class="small-text">You will be signed out on all devices.</p>
  </section>`;
}

function describeAuthenticator({ enrolled, required }) {
  if (!enrolled) return "With an authenticator app, no one can sign in with your password alone.";
  return `Each sign-in asks for a code from your app. Set up a new app before you give away your phone. The old app stops working at once${required ? "" : ", and until you finish, your password alone signs you in"}.`;
}

function Authenticator() {
  const { data, problem, reload } = useLoad(getAuthenticator, []);
  const [key, setKey] = useState(/** @type {any} */ (null));
  const start = async (form) => setKey(await startAuthenticator(form.get("app-password")));
  const confirm = async (form) => {
    await confirmAuthenticator(form.get("code").trim());
    endSessionInAllTabs("Your authenticator app is set up. Sign in again.");
  };
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} what="your authenticator app" />`;
  if (!data.available) return null;
  return html`<section class="card stack">
    <h2>Authenticator app</h2>
    ${
      key
        ? html`<${AuthenticatorKey} secret=${key.secret} link=${key.otpauth_url} />
          <${SignInForm} key="confirm" send=${confirm} button="Finish setup" busyText="Saving…">
            <${CodeField} label="Code from the app" />
          <//>
          <p class="small-text">You will be signed out on all devices.</p>`
        : html`<p>${describeAuthenticator(data)}</p>
          <${SignInForm} key="start" send=${start} button=${data.enrolled ? "Set up a new app" : "Set up an app"} busyText="Loading…">
            <${CurrentPassword} name="app-password" />
          <//>`
    }
  </section>`;
}

export function Account() {
  return html`<div class="stack narrow">
    <${PageTitle} page="Your account">Your account<//>
    <p>${me.value.name} · ${me.value.email}</p>
    ${isAdmin() && html`<p><a href="#/members">People of ${me.value.tenant.name}</a></p>`}
    <${Password} />
    <${Authenticator} />
  </div>`;
}
