// The dialog that records one move of the coverage. It stays open until the server has saved it.
import { listProducts } from "../centers/centers_api.js";
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { toPhoneNumber } from "../platform/json_document.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { toTimestamp } from "../platform/timestamps.js";
import { Dialog, Field, toFieldId, useLoad } from "../platform/ui.js";
import { recordMove } from "./coverage_api.js";
import { buildMoveBody, MOVE_FORMS } from "./move_forms.js";

/** @param {any} properties */
function MoveField({ field, value, error, products, change }) {
  const { name, shown, products: listsProducts, ...rest } = field;
  const options = listsProducts
    ? {
        options: [["", "Choose"], ...products.map((/** @type {any} */ { product_id: id, name: label }) => [id, label])],
      }
    : {};
  return html`<${Field} pointer="/${name}" value=${value ?? ""} error=${error} ...${rest} ...${options}
    onInput=${(/** @type {any} */ event) => change(name, event.target.value)} />`;
}

/** @param {{move: string, title: string, known?: Record<string, string>, coverage: any, etag: string, onSaved: (text: string) => void, onClose: () => void}} properties */
export function MoveDialog({ move, title, known = {}, coverage, etag, onSaved, onClose }) {
  const { fields } = MOVE_FORMS[move];
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const products = useLoad(listProducts, []);
  const errors = Object.fromEntries((problem?.errors ?? []).map((/** @type {any} */ e) => [e.pointer, e.message]));
  const shown = fields.filter((field) => !field.shown || field.shown(values));
  const save = async (/** @type {any} */ event) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    const typed = Object.fromEntries(
      shown.map(({ name, type }) => [
        name,
        type === "tel" && values[name] ? toPhoneNumber(values[name]) : values[name],
      ]),
    );
    const body = buildMoveBody(move, { ...typed, ...known }, (local) => toTimestamp(local, getTimeZone()));
    try {
      await recordMove(coverage.referral_id, body, etag);
      onSaved("Saved. The coverage is up to date.");
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form class="stack" onSubmit=${save} novalidate>
      <${RefusedRequest} problem=${problem} unknown=${!!problem?.outcomeUnknown} retry=${save}
        onPick=${(/** @type {string} */ pointer) => document.getElementById(toFieldId(pointer))?.focus()} />
      ${shown.map(
        (field) => html`<${MoveField} key=${field.name} field=${field} value=${values[field.name]}
          error=${errors[`/${field.name}`]} products=${products.data ?? []}
          change=${(/** @type {string} */ name, /** @type {string} */ value) => setValues((/** @type {any} */ old) => ({ ...old, [name]: value }))} />`,
      )}
      <p class="small-text">Information only. ${coverage.disclaimer}</p>
      <div class="buttons">
        <button class="primary" aria-disabled=${busy}>${busy ? "Saving…" : "Save"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </form>
  <//>`;
}
