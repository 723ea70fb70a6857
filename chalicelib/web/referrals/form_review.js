// The last step: everything once more, and the one button that sends it.
import { getCenter } from "../centers/centers_api.js";
import { me } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { Loading, Problem, useLoad } from "../platform/ui.js";
import { Clinical, Consent, Coverage, Patient, Provider } from "./referral_sections.js";

function Destination({ draft, send }) {
  const id = draft.get("/center_id");
  const { data, problem, busy, reload } = useLoad(async () => (id ? getCenter(id) : null), [id]);
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (busy) return html`<${Loading} what="the center" />`;
  const open = draft.referral.value?.packet?.missing ?? [];
  return html`<section class="card submit-box">
    <h2>Send to ${data ? data.name : "a treatment center"}</h2>
    <p>The center sees the referral as soon as it is sent. Whether CAR T is right is the center's decision alone.</p>
    ${
      open.length > 0 &&
      html`<p class="small-text">${open.length === 1 ? "One item" : `${open.length} items`} that the center needs on day 1
      ${open.length === 1 ? " is" : " are"} still missing. You can save the draft and come back.</p>`
    }
    <button type="button" class="primary" onClick=${send} aria-disabled=${draft.busy.value}>
      ${draft.busy.value ? "Sending …" : "Send the referral"}
    </button>
  </section>`;
}

export function ReviewStep({ draft, send }) {
  const values = draft.values.value;
  return html`<${Destination} draft=${draft} send=${send} />
    <div class="review">
      <${Patient} value=${values.patient} />
      <${Clinical} value=${values.clinical} product=${values.product_id} note=${values.note} />
      <${Coverage} value=${values.insurance} />
      <${Provider} value=${values.referring_provider} practice=${me.value.tenant.name} />
      <${Consent} value=${values.consent_to_share} />
    </div>`;
}
