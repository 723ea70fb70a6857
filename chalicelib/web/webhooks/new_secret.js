// A new signing secret: the question, and the secret, which is shown once.
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { Dialog, Problem } from "../platform/ui.js";
import { createSecret } from "./webhooks_api.js";

/** Shows the new secret once. The page keeps it only in this dialog. */
function NewSecretDialog({ secret, onClose }) {
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [copied, setCopied] = useState("");
  useEffect(() => box.current?.select(), []);
  const copy = async () => {
    box.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      setCopied("Copied.");
    } catch {
      setCopied("Your browser blocked copying. The secret is selected; press Ctrl+C or Command+C.");
    }
  };
  return html`<${Dialog} title="New webhook secret" onClose=${onClose}>
    <div class="stack">
      <p>Copy this secret now; you will not see it again. Earlier secrets stop working in 24 hours.</p>
      <div class="field"><label for="secret">Secret</label>
        <input id="secret" class="code" readonly autocomplete="off" spellcheck="false" ref=${box} value=${secret} /></div>
      <div class="buttons">
        <button type="button" class="primary" onClick=${copy}>Copy</button>
        <button type="button" onClick=${onClose}>Done</button>
        <span class="small-text" role="status">${copied}</span>
      </div>
    </div>
  <//>`;
}

function ConfirmNewSecret({ create, problem, busy, onClose }) {
  return html`<${Dialog} title="Create a new webhook secret?" onClose=${onClose}>
    <div class="stack">
      <p>Your system must sign its updates with the new secret. Older secrets keep working for 24 hours.</p>
      ${problem && html`<${Problem} problem=${problem} />`}
      <div class="buttons">
        <button type="button" class="primary" onClick=${create} aria-disabled=${busy}>${busy ? "Creating…" : "Create secret"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </div>
  <//>`;
}

/** The button that creates a secret. `onDone` follows when the dialog with the secret closes. */
export function NewSecretButton({ center, onDone }) {
  const [step, setStep] = useState(/** @type {any} */ ({}));
  const request = useIdempotentRequest((_, key) => createSecret(center, key));
  const close = () => {
    if (step.secret) onDone();
    setStep({});
  };
  const create = async () => {
    setStep({ open: true, busy: true });
    try {
      setStep({ secret: (await request.run({})).secret });
    } catch (problem) {
      setStep({ open: true, problem });
    }
  };
  return html`<button type="button" onClick=${() => setStep({ open: true })}>New webhook secret</button>
    ${step.open && html`<${ConfirmNewSecret} ...${step} create=${create} onClose=${close} />`}
    ${step.secret && html`<${NewSecretDialog} secret=${step.secret} onClose=${close} />`}`;
}
