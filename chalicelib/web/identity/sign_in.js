// Sign-in, including the challenges of the identity service: a new password or a code.
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { Field, PageTitle, Problem } from "../platform/ui.js";
import { answerChallenge, endReason, hasLostEntries, signIn } from "./session.js";

const SIGN_OUT_REASONS = {
  signed_out: "You are signed out.",
  idle: "You were signed out because of inactivity. Drafts were saved, except entries with an error. Sign in to return to the same page.",
  expired: "Your session ended. Entries that were not saved are lost. Sign in to return to the same page.",
};

const LOST_ENTRIES =
  " Your last entries in the referral form were not saved. After you sign in, check the draft and enter them again.";

/** A form that sends one request at a time and shows the error of a failed one. */
function SignInForm({ send, button, children }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const isSending = useRef(false);
  const submit = async (event) => {
    event.preventDefault();
    if (isSending.current) return;
    isSending.current = true;
    setBusy(true);
    const failure = await send(new FormData(event.target)).then(
      () => null,
      (error) => error,
    );
    isSending.current = false;
    setBusy(false);
    setProblem(failure);
  };
  return html`<form onSubmit=${submit} class="stack">
    ${problem && html`<${Problem} problem=${problem}>${describeFailure(problem)}<//>`}
    ${children}
    <button class="primary wide" aria-disabled=${busy}>${busy ? "Signing in…" : button}</button>
  </form>`;
}

function describeFailure(problem) {
  if (problem.code === "sign_in_refused") return "The email, password, or code is incorrect. Try again.";
  return problem.passing ? "Sign-in is not available right now. Try again in a few minutes." : problem.message;
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
  const needsPassword = challenge.challenge === "NEW_PASSWORD_REQUIRED";
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  const send = async (form) => {
    const answer = needsPassword ? { new_password: form.get("new-password") } : { code: form.get("code").trim() };
    const next = await answerChallenge({
      email: challenge.email,
      session: challenge.session,
      challenge: challenge.challenge,
      ...answer,
    });
    if (next) onChallenge({ ...next, email: challenge.email });
  };
  return html`<div ref=${box}>
    <${SignInForm} send=${send} button="Continue">
      ${
        needsPassword
          ? html`<${Field} pointer="new-password" label="Choose a new password" type="password"
            autocomplete="new-password" minlength="12" required
            hint="This is your first sign-in. Use at least 12 characters, with an uppercase letter, a lowercase letter, and a number." />`
          : html`<${Field} pointer="code" label="Code from your authenticator app" inputmode="numeric"
            autocomplete="one-time-code" pattern="[0-9]{6}" required hint="6 digits. You can paste it." />`
      }
    <//>
    <button type="button" class="link-button" onClick=${onBack}>Back to email and password</button>
  </div>`;
}

export function SignIn({ notice }) {
  const [challenge, setChallenge] = useState(/** @type {any} */ (null));
  const ending = SIGN_OUT_REASONS[endReason.value];
  return html`<section class="sign-in card">
    <${PageTitle} page="Sign in">Sign in<//>
    <p class="lead">Refer a patient for CAR T, follow each step at the treatment center, and resume care after treatment.</p>
    ${ending && !challenge && html`<p class="banner" role="status">${ending}${hasLostEntries.value && LOST_ENTRIES}</p>`}
    ${
      challenge
        ? html`<${Challenge} key=${challenge.challenge} challenge=${challenge} onChallenge=${setChallenge} onBack=${() => setChallenge(null)} />`
        : html`<${Credentials} onChallenge=${setChallenge} />`
    }
    <p class="small-text">${notice}</p>
  </section>`;
}
