// Sign-in, including the challenges of the identity service: a new password, a code, or a new authenticator app.
import { html, useRef, useState } from "../platform/dom.js";
import { Field, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { endReason, hasLostEntries, signIn } from "./session.js";

const SIGN_OUT_REASONS = {
  signed_out: "You are signed out.",
  idle: "You were signed out because of inactivity. Drafts were saved, except entries with an error. Sign in to return to the same page.",
  expired: "Your session ended. Entries that were not saved are lost. Sign in to return to the same page.",
};

const LOST_ENTRIES =
  " Your last entries in the referral form were not saved. After you sign in, check the draft and enter them again.";

/** What a failure means. A refused password has many reasons, and the page must not say which one it was. */
function describeFailure(problem) {
  if (problem.code === "sign_in_refused")
    return "The email or password is incorrect. If you tried several times, wait 15 minutes. If you were invited more than 7 days ago, ask your administrator to send the invitation again.";
  if (problem.errors?.length) return problem.errors.map((error) => error.message).join(" ");
  const isDown = problem.outcomeUnknown && problem.code !== "unreachable";
  return isDown ? "Sign-in is not available right now. Try again in a few minutes." : problem.message;
}

/** A form that sends one request at a time and shows the error of a failed one. */
export function SignInForm({ send, button, busyText = "Signing in…", children }) {
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
    <button class="primary wide" aria-disabled=${busy}>${busy ? busyText : button}</button>
  </form>`;
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

/** Many people who sign in need neither of these parts, so they load only when needed. */
const PARTS = {
  challenge: async () => (await import("./sign_in_challenge.js")).Challenge,
  reset: async () => (await import("./password_reset.js")).PasswordReset,
};

function Part({ name, ...rest }) {
  const { data, problem, reload } = useLoad(async () => ({ View: await PARTS[name]() }), [name]);
  if (data) return html`<${data.View} ...${rest} />`;
  if (problem)
    return html`<${Problem} problem=${problem} retry=${reload}>This page did not load. Check your connection, then try again.<//>`;
  return html`<${Loading} what="the page" />`;
}

export function SignIn({ notice }) {
  const [challenge, setChallenge] = useState(/** @type {any} */ (null));
  const [isResetting, setIsResetting] = useState(false);
  const [note, setNote] = useState("");
  const reason = SIGN_OUT_REASONS[endReason.value] ?? endReason.value;
  const goBack = (text = "") => {
    setChallenge(null);
    setIsResetting(false);
    setNote(text);
  };
  if (isResetting) return html`<section class="sign-in card"><${Part} name="reset" onBack=${goBack} /></section>`;
  return html`<section class="sign-in card">
    <${PageTitle} page="Sign in">Sign in<//>
    <p class="lead">Refer a patient for CAR T, follow each step at the treatment center, and resume care after treatment.</p>
    ${note && !challenge && html`<p class="banner" role="status">${note}</p>`}
    ${reason && !note && !challenge && html`<p class="banner" role="status">${reason}${hasLostEntries.value && LOST_ENTRIES}</p>`}
    ${
      challenge
        ? html`<${Part} name="challenge" key=${challenge.session} challenge=${challenge} onChallenge=${setChallenge} onBack=${goBack} />`
        : html`<${Credentials} onChallenge=${setChallenge} />
          <button type="button" class="link-button" onClick=${() => setIsResetting(true)}>Forgot your password?</button>`
    }
    <p class="small-text">${notice}</p>
  </section>`;
}
