// Components of forms, and of pages that show form values.
import { html, useEffect, useRef } from "./dom.js";
import { formatCount, getLabel } from "./labels.js";
import { Field, Icon, toFieldId } from "./ui.js";

/** A question with a few possible answers, as radio buttons. */
export function RadioChoice({ pointer, label, hint, error, value, options, onPick }) {
  const id = toFieldId(pointer);
  return html`<fieldset class="choice" aria-describedby=${error ? `${id}-error` : undefined}>
    <legend>${label}</legend>
    ${hint && html`<p class="hint">${hint}</p>`}
    <div class="options">
      ${options.map(
        ([option, text], index) => html`<label class=${option === "" ? "is-unset" : ""}>
          <input type="radio" name=${pointer} id=${index ? undefined : id} checked=${value === option}
            onChange=${() => onPick(option)} />${text}
        </label>`,
      )}
    </div>
    ${error && html`<p class="error" id="${id}-error">${error}</p>`}
  </fieldset>`;
}

/** The list of field errors. Each error links to its field. The list takes the focus when it appears. */
export function ErrorSummary({ errors, onPick }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.focus(), [errors]);
  return html`<div class="banner is-error" role="alert" tabindex="-1" ref=${box}>
    <${Icon} name="circle-alert" />
    <div>
      <h2>Fix ${formatCount(errors.length, "field")} to continue</h2>
      <ul>
        ${errors.map(
          (error) => html`<li>
            <button type="button" class="link-button" onClick=${() => onPick(error.pointer)}>${error.message}</button>
          </li>`,
        )}
      </ul>
    </div>
  </div>`;
}

/** Terms and values. An empty value reads "Not entered". */
export const FactList = ({ rows }) => html`<dl class="facts">
  ${rows.map(
    ([term, value]) => html`<div class=${String(value ?? "").length > 22 ? "long" : ""}>
      <dt>${term}</dt>
      <dd>${value || value === 0 ? value : html`<span class="small-text">Not entered</span>`}</dd>
    </div>`,
  )}
</dl>`;

/** The error of a field. A draft of a referral also has `refusals`: errors of values that are saved as they were typed. */
const findError = (draft, pointer) =>
  [...draft.errors.value, ...(draft.refusals?.value ?? [])].find((error) => error.pointer === pointer)?.message;

/** A field of the draft, by its JSON pointer. */
export function DraftField({ draft, pointer, ...rest }) {
  return html`<${Field} pointer=${pointer} value=${draft.get(pointer)} error=${findError(draft, pointer)}
    onInput=${(event) => draft.set(pointer, event.target.value)} ...${rest} />`;
}

/** A question of the draft with a few possible answers. */
export function DraftChoice({ draft, pointer, ...rest }) {
  return html`<${RadioChoice} pointer=${pointer} value=${draft.get(pointer)} error=${findError(draft, pointer)}
    onPick=${(value) => draft.set(pointer, value)} ...${rest} />`;
}

export const YES_NO_OPTIONS = [
  [true, "Yes"],
  [false, "No"],
  ["", "Unknown"],
];

export const FieldGroup = ({ title, lead, children }) => html`<section class="card">
  <h2>${title}</h2>
  ${lead && html`<p class="small-text">${lead}</p>`}
  <div class="fields">${children}</div>
</section>`;

/** The options of a select: first an option without a value, then each code with its label. */
export const listOptions = (codes, first) => [["", first], ...codes.map((code) => [code, getLabel(code)])];
