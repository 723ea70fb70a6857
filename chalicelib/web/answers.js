// Pieces of the form and of what was written with it.
import { html, useEffect, useRef } from "./dom.js";
import { toFieldId, Icon } from "./ui.js";

/** One question with a few answers, as radio buttons. */
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

/** The fields that need attention, each a way to its place. Takes the focus when it appears. */
export function ErrorSummary({ title, errors, onPick }) {
  const box = useRef(null);
  useEffect(() => box.current.focus(), [errors]);
  return html`<div class="banner is-error" role="alert" tabindex="-1" ref=${box}>
    <${Icon} name="circle-alert" />
    <div>
      <h2>${title}</h2>
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

/** Term and value pairs; what is empty says so instead of leaving a hole. */
export const FactList = ({ rows }) => html`<dl class="facts">
  ${rows.map(
    ([term, value]) => html`<div class=${String(value ?? "").length > 22 ? "long" : ""}>
      <dt>${term}</dt>
      <dd>${value || value === 0 ? value : html`<span class="small-text">Not given</span>`}</dd>
    </div>`,
  )}
</dl>`;
