// A test event: the server signs it with the center's secret, and this browser posts it to the center's address,
// as the center's system posts its updates.
import { html, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { Problem } from "../platform/ui.js";
import { postTestEvent, signTestEvent } from "./webhooks_api.js";

/** What the answer means: the tone, the status, and a sentence. */
function describeAnswer({ status, answer, ms, isWrong }) {
  if (status === 200)
    return [
      "is-success",
      `200 in ${ms} ms`,
      "The signature is right. No referral changed. The delivery is in the log below.",
    ];
  if (status === 401 && isWrong)
    return [
      "is-success",
      `401 in ${ms} ms`,
      "Refused, as it must be: the signature was wrong. Refused deliveries are not in the log.",
    ];
  return ["is-error", String(status), answer?.detail || "The test event was not accepted. Try again in a few minutes."];
}

export function TestEvent({ center, hasSecret, onSent }) {
  const [isWrong, setIsWrong] = useState(false);
  const [state, setState] = useState(/** @type {any} */ ({}));
  const sign = useIdempotentRequest((_, key) => signTestEvent(center, key));
  const send = async () => {
    if (state.busy) return;
    setState({ busy: true });
    try {
      const signed = await sign.run({});
      const started = performance.now();
      const { status, answer } = await postTestEvent(center, signed, isWrong);
      setState({ result: { status, answer, isWrong, ms: Math.round(performance.now() - started) } });
      onSent();
    } catch (problem) {
      setState({ problem });
    }
  };
  const [tone, status, text] = state.result ? describeAnswer(state.result) : [];
  return html`<section class="card stack" aria-labelledby="test">
    <h2 id="test">Send a test event</h2>
    <p class="small-text">The dashboard signs an event with your newest secret and posts it to the address in step 1, as your system does. It changes no referral, and has no patient.</p>
    <label class="check"><input type="checkbox" checked=${isWrong} onChange=${(event) => setIsWrong(event.target.checked)} />With a wrong signature</label>
    ${!hasSecret && html`<p>Create a secret first.</p>`}
    <div class="buttons"><button type="button" class="primary" onClick=${send} aria-disabled=${state.busy || !hasSecret}>${state.busy ? "Sending…" : "Send test event"}</button></div>
    ${state.problem && html`<${Problem} problem=${state.problem} />`}
    <div role="status">${text && html`<p class="banner ${tone}"><span><strong>${status}.</strong> ${text}</span></p>`}</div>
  </section>`;
}
