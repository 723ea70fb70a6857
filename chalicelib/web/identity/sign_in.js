// Signing in, with what the identity service may still ask for: a new password or a code.
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { Field, PageTitle, Problem } from "../platform/ui.js";
import { answerChallenge, endReason, signIn } from "./session.js";

const SIGN_OUT_REASONS = {
  signed_out: "You are signed out.",
  idle: "You were signed out because the page was not used for a while. You will come back to where you were.",
  expired: "Your session has ended. Sign in to come back to where you were.",
};

/** A form that sends once at a time and shows why it was refused. */
function SignInForm({ send, button, children }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const isSending = useRef(false);
  const submit = async (event) => {
    event.preventDefault();
    if (isSending.current) return;
    isSending.current = true;
    setBusy(true);
    const refusal = await send(new FormData(event.target)).then(
      () => null,
      (reason) => reason,
    );
    isSending.current = false;
    setBusy(false);
    setProblem(refusal);
  };
  return html`<form onSubmit=${submit} class="stack">
    ${problem && html`<${Problem} problem=${problem}>${describeRefusal(problem)}<//>`}
    ${children}
    <button class="primary wide" aria-disabled=${busy}>${busy ? "One moment …" : button}</button>
  </form>`;
}

function describeRefusal(problem) {
  if (problem.code === "sign_in_refused") return "That did not match. Check what you entered and try again.";
  return problem.passing ? "Sign-in is not available at the moment. Please try again shortly." : problem.message;
}

function Credentials({ onChallenge }) {
  const send = async (form) => {
    const email = form.get("email").trim();
    const challenge = await signIn(email, form.get("password"));
    if (challenge) onChallenge({ ...challenge, email });
  };
  return html`<${SignInForm} send=${send} button="Sign in">
    <${Field} pointer="email" label="Email" type="email" autocomplete="username" required />
    <${Field} pointer="password" label="Password" type="password" autocomplete="current-password" required />
  <//>`;
}

function Challenge({ challenge, onChallenge, onBack }) {
  const wantsPassword = challenge.challenge === "NEW_PASSWORD_REQUIRED";
  const first = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => first.current?.querySelector("input")?.focus(), []);
  const send = async (form) => {
    const answer = wantsPassword ? { new_password: form.get("new-password") } : { code: form.get("code").trim() };
    const next = await answerChallenge({
      email: challenge.email,
      session: challenge.session,
      challenge: challenge.challenge,
      ...answer,
    });
    if (next) onChallenge({ ...next, email: challenge.email });
  };
  return html`<div ref=${first}>
    <${SignInForm} send=${send} button="Continue">
      ${
        wantsPassword
          ? html`<${Field} pointer="new-password" label="Choose a new password" type="password"
            autocomplete="new-password" minlength="12" required
            hint="Your first sign-in. At least 12 characters with upper and lower case letters and a digit." />`
          : html`<${Field} pointer="code" label="Code from your authenticator app" inputmode="numeric"
            autocomplete="one-time-code" pattern="[0-9]{6}" required hint="Six digits. You may paste it." />`
      }
    <//>
    <button type="button" class="link-button" onClick=${onBack}>Back to email and password</button>
  </div>`;
}

export function SignIn() {
  const [challenge, setChallenge] = useState(/** @type {any} */ (null));
  const note = SIGN_OUT_REASONS[endReason.value];
  return html`<section class="sign-in card">
    <${PageTitle} page="Sign in">Sign in<//>
    <p class="lead">Follow a CAR T referral from your practice to the treatment center and back.</p>
    ${note && !challenge && html`<p class="banner" role="status">${note}</p>`}
    ${
      challenge
        ? html`<${Challenge} key=${challenge.challenge} challenge=${challenge} onChallenge=${setChallenge} onBack=${() => setChallenge(null)} />`
        : html`<${Credentials} onChallenge=${setChallenge} />`
    }
  </section>`;
}
