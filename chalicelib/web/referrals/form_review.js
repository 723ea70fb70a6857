// The last step: a review of all entries, and the button to submit the referral.
import { getCenter } from "../centers/centers_api.js";
import { me } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { Loading, Problem, useLoad } from "../platform/ui.js";
import { Clinical, Consent, Coverage, Patient, Provider } from "./referral_sections.js";
import { RoutingHints } from "./routing_hints.js";

function SubmitBox({ draft, submit }) {
  const id = draft.get("/center_id");
  const { data, problem, busy, reload } = useLoad(async () => (id ? getCenter(id) : null), [id]);
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (busy) return html`<${Loading} what="the center" />`;
  const missing = draft.referral.value?.packet?.missing.length ?? 0;
  return html`<${RoutingHints} hints=${draft.referral.value?.routing_hints} title="Check this before you submit. You can still submit the referral." />
  <section class="card submit-box">
    <h2>Submit to ${data ? data.name : "a treatment center"}</h2>
    <p>${data ? data.name : "The center"} can see the referral as soon as you submit it. Only the treatment center decides whether CAR T is right for the patient.</p>
    ${
      missing > 0 &&
      html`<p class="small-text">${formatCount(missing, "item")} the center needs on day 1 ${missing === 1 ? "is" : "are"} missing. You can save the draft and finish later.</p>`
    }
    <button type="button" class="primary" onClick=${submit} aria-disabled=${draft.busy.value}>
      ${draft.busy.value ? "Submitting…" : "Submit referral"}
    </button>
  </section>`;
}

export function ReviewStep({ draft, submit }) {
  const values = draft.values.value;
  return html`<${SubmitBox} draft=${draft} submit=${submit} />
    <div class="review">
      <${Patient} value=${values.patient} />
      <${Clinical} value=${values.clinical} product=${values.product_id} note=${values.note} />
      <${Coverage} value=${values.insurance} />
      <${Provider} value=${values.referring_provider} practice=${me.value.tenant.name} />
      <${Consent} value=${values.consent_to_share} />
    </div>`;
}
