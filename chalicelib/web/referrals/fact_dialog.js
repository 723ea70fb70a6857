// The dialog to correct one section of a referral. It stays open until the server has saved the
// change, keeps every entry on an error, and merges what someone else saved in the meantime.
import { html, useState } from "../platform/dom.js";
import { DraftField, ErrorSummary } from "../platform/form_fields.js";
import { formatFieldName, getLabel } from "../platform/labels.js";
import { announce, Dialog, Problem, toFieldId } from "../platform/ui.js";
import { Draft } from "./draft.js";
import { ConsentFields, DiagnosisStep, InsuranceFields, NoteFields, PatientStep, ProviderStep } from "./form_steps.js";
import { TherapyStep } from "./form_therapy.js";
import { clearDirectory } from "./practice_directory.js";

const ContactFields = ({ draft }) => html`<div class="fields">
  <${DraftField} draft=${draft} pointer="/center_contact/coordinator" label="Coordinator's name" optional />
  <${DraftField} draft=${draft} pointer="/center_contact/phone" label="Phone" type="tel" optional
    hint="The practice calls this number about this patient." />
  <${DraftField} draft=${draft} pointer="/center_contact/email" label="Email" type="email" optional />
</div>`;

/** @type {Record<string, {title: string, fields: any[]}>} */
const SECTIONS = {
  patient: { title: "Edit patient", fields: [PatientStep] },
  clinical: { title: "Edit clinical facts", fields: [DiagnosisStep, TherapyStep, NoteFields] },
  insurance: { title: "Edit insurance", fields: [InsuranceFields] },
  referring_provider: { title: "Edit referring provider", fields: [ProviderStep] },
  consent_to_share: { title: "Edit consent to share", fields: [ConsentFields] },
  center_contact: { title: "Edit center contact", fields: [ContactFields] },
};

/** What someone else saved while this dialog was open. */
function SavedByOthers({ draft }) {
  const changes = draft.serverChanges.value;
  if (!changes.length) return null;
  const conflicts = changes.flatMap((change) => change.conflicts);
  return html`<div class="banner is-warning" role="alert"><div>
    <p>Someone else saved changes to this referral while this dialog was open: ${changes
      .map(({ name }) => getLabel(name).toLowerCase())
      .join(", ")}. Your entries are still here and are not saved yet.</p>
    ${
      conflicts.length > 0 &&
      html`<p>You both changed ${conflicts.map(formatFieldName).join(", ")}. Their version is shown. Check it, then save.</p>`
    }
  </div></div>`;
}

export function FactDialog({ section, referral, etag, showResult, onClose }) {
  const [draft] = useState(() => new Draft(referral, etag));
  const { title, fields } = SECTIONS[section];
  const pick = (pointer) => document.getElementById(toFieldId(pointer))?.focus();
  const save = async (event) => {
    event?.preventDefault();
    if (!draft.isDirty.value) return onClose();
    if (!(await draft.save())) return;
    clearDirectory();
    announce("Saved");
    onClose();
    showResult("Saved. The change is in the history.", false);
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${save} class="stack fact-form" novalidate>
      <${SavedByOthers} draft=${draft} />
      ${draft.errors.value.length > 0 && html`<${ErrorSummary} errors=${draft.errors.value} onPick=${pick} />`}
      ${draft.problem.value && html`<${Problem} problem=${draft.problem.value} retry=${save} />`}
      ${fields.map((Fields) => html`<${Fields} draft=${draft} pick=${pick} />`)}
      <div class="buttons">
        <button class="primary" aria-disabled=${draft.busy.value}>${draft.busy.value ? "Saving…" : "Save changes"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </form>
  <//>`;
}
