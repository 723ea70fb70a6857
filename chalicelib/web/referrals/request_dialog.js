// The dialog with which a center asks for information: items of the packet, items by name, and a text.
import { html, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { Dialog, Field, Loading, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { listInformationRequests, requestInformation } from "./conversation_api.js";

const splitLines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

/** The items of one kind: documents, or facts of the referral. */
function ItemChoices({ items, kind, title, id, chosen, toggle }) {
  const options = items.filter((item) => item.kind === kind);
  return html`<fieldset class="choice"><legend>${title}</legend>
    <div class="options" id=${id} tabindex="-1">
      ${options.map(
        ({ code, label }) => html`<label key=${code}>
        <input type="checkbox" checked=${chosen.includes(code)} onChange=${() => toggle(code)} />${label}
      </label>`,
      )}
    </div>
  </fieldset>`;
}

/** `byKey`: a single key opened the dialog. */
export function RequestInformationDialog({ referral, showResult, onClose, byKey = false }) {
  const known = useLoad(() => listInformationRequests(referral.referral_id), []);
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const [others, setOthers] = useState("");
  const [text, setText] = useState("");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const request = useIdempotentRequest((body, key) => requestInformation(referral.referral_id, body, key));
  const unknown = !!request.unresolved && !busy;
  const toggle = (code) =>
    setChosen((old) => (old.includes(code) ? old.filter((each) => each !== code) : [...old, code]));
  const send = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      await request.run({ items: [...chosen, ...splitLines(others)], text: text.trim() || null });
      onClose();
      showResult(`Information requested from ${referral.practice.name}.`, false);
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  const focus = (pointer) =>
    document.getElementById(toFieldId(pointer.startsWith("/items/") ? "/others" : pointer))?.focus();
  return html`<${Dialog} title="Request information" onClose=${onClose} byKey=${byKey}>
    <form class="stack" onSubmit=${send} novalidate>
      <${RefusedRequest} problem=${problem} unknown=${unknown} retry=${send} onPick=${focus} />
      <fieldset class="plain stack" disabled=${unknown}>
        ${known.problem && html`<${Problem} problem=${known.problem} retry=${known.reload} />`}
        ${!known.data && !known.problem && html`<${Loading} what="the items" />`}
        ${
          known.data &&
          html`<${ItemChoices} items=${known.data.requestable_items} kind="document" title="Documents" id=${toFieldId("/items")} chosen=${chosen} toggle=${toggle} />
          <details><summary>Facts of the referral</summary>
            <${ItemChoices} items=${known.data.requestable_items} kind="fact" title="Facts" chosen=${chosen} toggle=${toggle} /></details>`
        }
        <${Field} pointer="/others" label="Other items, one per line" optional rows="2" value=${others}
          onInput=${(event) => setOthers(event.target.value)} />
        <${Field} pointer="/text" label="What do you need?" rows="3" maxlength="4000" value=${text}
          hint="Choose at least one item, or write what you need. ${referral.practice.name} answers each item."
          onInput=${(event) => setText(event.target.value)} />
      </fieldset>
      <div class="buttons">
        ${!unknown && html`<button class="primary" aria-disabled=${busy}>${busy ? "Sending…" : "Request information"}</button>`}
        <button type="button" onClick=${onClose}>${unknown ? "Close" : "Cancel"}</button>
      </div>
    </form>
  <//>`;
}
