// The disease and its histology: the same fields in the referral form and in the eligibility check.
import { html } from "../platform/dom.js";
import { DraftField, listOptions } from "../platform/form_fields.js";
import { DISEASES } from "../platform/labels.js";
import { formatHistology, listHistologies } from "./clinical_labels.js";

const DISEASE = "/clinical/disease";
const HISTOLOGY = "/clinical/histology";

/** Another disease has another list. A histology of the old list is emptied; free text of an earlier release stays. */
function pickDisease(draft, disease) {
  const chosen = draft.get(HISTOLOGY);
  const has = (/** @type {string} */ name) => listHistologies(name).some(([code]) => code === chosen);
  if (has(draft.get(DISEASE)) && !has(disease)) draft.set(HISTOLOGY, "");
  draft.set(DISEASE, disease);
}

/** @param {any} properties */
export function DiseaseAndHistology({ draft }) {
  const [disease, chosen] = [draft.get(DISEASE), draft.get(HISTOLOGY)];
  const listed = listHistologies(disease);
  const isEarlier = chosen && !listed.some(([code]) => code === chosen);
  const earlier = isEarlier ? [[chosen, `${formatHistology(chosen)} (entered earlier)`]] : [];
  return html`<${DraftField} draft=${draft} pointer=${DISEASE} label="Disease" options=${listOptions(Object.keys(DISEASES), "Choose the disease")}
      onInput=${(event) => pickDisease(draft, event.target.value)} />
    <${DraftField} draft=${draft} pointer=${HISTOLOGY} label="Histology" hint="As in the pathology report"
      options=${[["", disease ? "Not entered" : "Choose the disease first"], ...listed, ...earlier]} />`;
}

/** @param {any} properties */
export const LastImaging = ({
  draft,
}) => html`<${DraftField} draft=${draft} pointer="/clinical/last_imaging_on" label="Date of last imaging" type="date"
  hint="PET-CT, CT, or MRI of the disease" optional />`;
