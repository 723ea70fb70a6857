// The parts of a hand-back package of which there may be several, or none.
import { html } from "./dom.js";
import { Input } from "./form_steps.js";
import { announce, fieldId, Icon } from "./ui.js";
import { word } from "./words.js";

const AGAINST = ["bacteria", "fungi", "herpes", "pneumocystis", "seizures", "other"].map((code) => [code, word(code)]);
const TEAMS = [["practice", "The practice"], ["center", "The center"]];

/** A list of rows, each with a way to take it out, and a button for one more. */
function Rows({ draft, pointer, title, row, blank, add, noun, kind = "", children }) {
  const rows = draft.get(pointer) || [];
  const more = () => draft.set(pointer, [...rows, blank]);
  const remove = (index) => {
    draft.set(pointer, rows.filter((_, each) => each !== index));
    announce(`${noun} ${index + 1} removed`);
    document.getElementById(fieldId(pointer))?.focus();
  };
  return html`<fieldset class=${`wide edit-list ${kind}`}>
    <legend>${title}</legend>
    ${children}
    ${rows.map((_, index) => html`<div class="edit-row" key=${index}>
      <div class="fields">${row(`${pointer}/${index}`)}</div>
      <button type="button" class="quiet" onClick=${() => remove(index)} aria-label="Remove ${noun.toLowerCase()} ${index + 1}"><${Icon} name="trash-2" /></button>
    </div>`)}
    <p><button type="button" id=${fieldId(pointer)} onClick=${more}><${Icon} name="plus" />${add}</button></p>
  </fieldset>`;
}

export const Infusions = ({ draft }) => html`<${Rows} draft=${draft} pointer="/infusions" title="Infusions" noun="Infusion" blank=${{}} add="Add an infusion"
  row=${(at) => html`<${Input} draft=${draft} pointer="${at}/on" label="Given on" type="date" />
    <${Input} draft=${draft} pointer="${at}/dose" label="Dose" hint="For example 100 million cells" />`} />`;

/** That there is none is an answer of its own: an empty list, not a missing one. */
export function Prophylaxis({ draft }) {
  const pointer = "/prophylaxis";
  const rows = draft.get(pointer);
  const none = Array.isArray(rows) && rows.length === 0;
  return html`<${Rows} draft=${draft} pointer=${pointer} title="Prophylaxis" noun="Drug" blank=${{ against: "herpes" }} add="Add a drug"
    row=${(at) => html`<${Input} draft=${draft} pointer="${at}/drug" label="Drug" />
      <${Input} draft=${draft} pointer="${at}/against" label="Against" options=${AGAINST} />
      <${Input} draft=${draft} pointer="${at}/stop_on" label="Stop on" type="date" optional />
      <${Input} draft=${draft} pointer="${at}/stop_when" label="Or stop when" optional />`}>
    ${!rows?.length && html`<label class="check"><input type="checkbox" checked=${none} onChange=${() => draft.set(pointer, none ? null : [])} />No prophylaxis</label>`}
  <//>`;
}

export const Responsibilities = ({ draft }) => html`<${Rows} draft=${draft} pointer="/responsibilities" title="Who does what" noun="Task"
  blank=${{ who: "practice" }} add="Add a task"
  row=${(at) => html`<${Input} draft=${draft} pointer="${at}/who" label="Who" options=${TEAMS} />
    <${Input} draft=${draft} pointer="${at}/does" label="Does what" />`} />`;

/** The published points of care as a checklist: kept, worded anew, dated, left out, or added to. */
export const CarePoints = ({ draft }) => html`<section class="card">
  <h2>Care points</h2>
  <p class="fine">From published tables, dated from the infusion. Two tables differ on how often IgG is measured: keep one. Remove what does not apply, change what does, and add your own. Sources are shown with the package.</p>
  <${Rows} draft=${draft} pointer="/care_points" title="Checklist" noun="Care point" kind="points" blank=${{}} add="Add a care point"
    row=${(at) => html`<${Input} draft=${draft} pointer="${at}/text" label="What to do" wide rows="2" maxlength="600" />
      <${Input} draft=${draft} pointer="${at}/due_on" label="From" type="date" optional />`} />
</section>`;
