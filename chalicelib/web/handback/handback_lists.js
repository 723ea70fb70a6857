// The lists of the transition-of-care summary form. Each can have several items or none.
import { html } from "../platform/dom.js";
import { DraftField } from "../platform/form_fields.js";
import { getLabel } from "../platform/labels.js";
import { announce, Icon, toFieldId } from "../platform/ui.js";

const PROPHYLAXIS_TARGETS = ["bacteria", "fungi", "herpes", "pneumocystis", "seizures", "other"].map((code) => [
  code,
  getLabel(code),
]);
const TEAMS = [
  ["practice", "The practice"],
  ["center", "The center"],
];

/** A list of rows, each with a button to remove it, and a button to add a row. */
function EditableList({ draft, pointer, title, row, blank, add, noun, kind = "", children }) {
  const rows = draft.get(pointer) || [];
  const addRow = () => draft.set(pointer, [...rows, blank]);
  const remove = (index) => {
    draft.set(
      pointer,
      rows.filter((_, other) => other !== index),
    );
    announce(`${noun} ${index + 1} removed`);
    document.getElementById(toFieldId(pointer))?.focus();
  };
  return html`<fieldset class=${`wide edit-list ${kind}`}>
    <legend>${title}</legend>
    ${children}
    ${rows.map(
      (_, index) => html`<div class="edit-row" key=${index}>
      <div class="fields">${row(`${pointer}/${index}`)}</div>
      <button type="button" class="ghost-button" onClick=${() => remove(index)} aria-label="Remove ${noun.toLowerCase()} ${index + 1}"><${Icon} name="trash-2" /></button>
    </div>`,
    )}
    <p><button type="button" id=${toFieldId(pointer)} onClick=${addRow}><${Icon} name="plus" />${add}</button></p>
  </fieldset>`;
}

export const Infusions = ({
  draft,
}) => html`<${EditableList} draft=${draft} pointer="/infusions" title="Infusions" noun="Infusion" blank=${{}} add="Add an infusion"
  row=${(at) => html`<${DraftField} draft=${draft} pointer="${at}/on" label="Infusion date" type="date" />
    <${DraftField} draft=${draft} pointer="${at}/dose" label="Dose" hint="For example, 100 million CAR-positive T cells" />`} />`;

/** "No prophylaxis" is an answer: an empty list, not a missing one. */
export function Prophylaxis({ draft }) {
  const pointer = "/prophylaxis";
  const rows = draft.get(pointer);
  const none = Array.isArray(rows) && rows.length === 0;
  return html`<${EditableList} draft=${draft} pointer=${pointer} title="Prophylaxis" noun="Drug" blank=${{ against: "herpes" }} add="Add a drug"
    row=${(at) => html`<${DraftField} draft=${draft} pointer="${at}/drug" label="Drug" />
      <${DraftField} draft=${draft} pointer="${at}/against" label="To prevent" options=${PROPHYLAXIS_TARGETS} />
      <${DraftField} draft=${draft} pointer="${at}/stop_on" label="Stop on" type="date" optional />
      <${DraftField} draft=${draft} pointer="${at}/stop_when" label="Or stop when (condition)" optional />`}>
    ${!rows?.length && html`<label class="check"><input type="checkbox" checked=${none} onChange=${() => draft.set(pointer, none ? null : [])} />No prophylaxis</label>`}
  <//>`;
}

export const Responsibilities = ({
  draft,
}) => html`<${EditableList} draft=${draft} pointer="/responsibilities" title="Responsibilities" noun="Task"
  blank=${{ who: "practice" }} add="Add a task"
  row=${(at) => html`<${DraftField} draft=${draft} pointer="${at}/who" label="Who" options=${TEAMS} />
    <${DraftField} draft=${draft} pointer="${at}/does" label="Task" />`} />`;

/** The published care points as a checklist. The center can keep, edit, date, remove, and add points. */
export const CarePoints = ({ draft }) => html`<section class="card">
  <h2>Care points</h2>
  <p class="small-text">From published guidance, with dates counted from infusion. Two sources differ on how often to check IgG; keep one. Remove what does not apply, edit the rest, and add your own. Sources appear in the summary.</p>
  <${EditableList} draft=${draft} pointer="/care_points" title="Checklist" noun="Care point" kind="care-point-list" blank=${{}} add="Add a care point"
    row=${(
      at,
    ) => html`<${DraftField} draft=${draft} pointer="${at}/text" label="What to do" wide rows="2" maxlength="600" />
      <${DraftField} draft=${draft} pointer="${at}/due_on" label="Start date" type="date" optional />`} />
</section>`;
