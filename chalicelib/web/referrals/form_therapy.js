// Lines of therapy with their drug classes. The provider counts the lines; the form computes nothing.
import { html } from "../platform/dom.js";
import { DraftField, FieldGroup } from "../platform/form_fields.js";
import { DRUG_CLASSES, getLabel } from "../platform/labels.js";
import { announce, Icon, toFieldId } from "../platform/ui.js";

const LINES = "/clinical/prior_lines";
const RESPONSES = [
  ["", "Not entered"],
  ...["complete_response", "partial_response", "stable_disease", "relapsed", "refractory", "ongoing", "unknown"].map(
    (code) => [code, getLabel(code)],
  ),
];

function DrugClasses({ draft, pointer }) {
  const chosen = draft.get(pointer) || [];
  const toggle = (code) =>
    draft.set(pointer, chosen.includes(code) ? chosen.filter((other) => other !== code) : [...chosen, code]);
  return html`<fieldset class="choice wide" id=${toFieldId(pointer)}>
    <legend>Drug classes</legend>
    <div class="options">
      ${Object.entries(DRUG_CLASSES).map(
        ([code, text]) => html`<label>
          <input type="checkbox" checked=${chosen.includes(code)} onChange=${() => toggle(code)} />${text}
        </label>`,
      )}
    </div>
  </fieldset>`;
}

function TherapyLine({ draft, index, remove }) {
  const at = `${LINES}/${index}`;
  return html`<${FieldGroup} title="Line ${index + 1}">
    <${DraftField} draft=${draft} pointer="${at}/regimen" label="Regimen" hint="For example, R-CHOP" />
    <${DraftField} draft=${draft} pointer="${at}/response" label="Outcome" options=${RESPONSES} />
    <${DraftField} draft=${draft} pointer="${at}/started_on" label="Started on" type="date" />
    <${DraftField} draft=${draft} pointer="${at}/ended_on" label="Ended on" type="date" />
    <${DraftField} draft=${draft} pointer="${at}/event_on" label="Date of relapse or progression" type="date" />
    <${DrugClasses} draft=${draft} pointer="${at}/classes" />
    <p class="wide">
      <button type="button" class="ghost-button" onClick=${remove}><${Icon} name="trash-2" />Remove line ${index + 1}</button>
    </p>
  <//>`;
}

export function TherapyStep({ draft }) {
  const lines = draft.get(LINES) || [];
  const add = () => {
    draft.set(LINES, [...lines, {}]);
    setTimeout(() => document.getElementById(toFieldId(`${LINES}/${lines.length}/regimen`))?.focus());
  };
  const remove = (index) => {
    draft.set(
      LINES,
      lines.filter((_, other) => other !== index),
    );
    announce(`Line ${index + 1} removed`);
    document.getElementById(toFieldId(LINES))?.focus();
  };
  return html`<div class="stack">
    <p class="small-text">Enter each line of therapy the way you count it, starting with the first. Dates help the center see the time to relapse.</p>
    ${lines.map((_, index) => html`<${TherapyLine} draft=${draft} index=${index} remove=${() => remove(index)} />`)}
    <p><button type="button" id=${toFieldId(LINES)} onClick=${add}><${Icon} name="plus" />Add ${lines.length ? "another line" : "first line"}</button></p>
  </div>`;
}
