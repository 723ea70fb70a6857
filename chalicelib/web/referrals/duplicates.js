// A hint that the same patient may be referred twice. It blocks nothing.
import { isPractice } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { buildReferralHref } from "../platform/route.js";
import { Icon, useLoad } from "../platform/ui.js";
import { listPossibleDuplicates } from "./referrals_api.js";

const PHASES_TO_CHECK = ["eligibility", "referral", "consultation"];

function Duplicate({ item }) {
  const other = isPractice() ? (item.center?.name ?? "no center yet") : item.practice.name;
  return html`<li><a href=${buildReferralHref(item.referral_id)}>${item.alias}</a>: ${item.stage_label}, ${other}</li>`;
}

function Found({ id }) {
  const { data } = useLoad(() => listPossibleDuplicates(id), [id]);
  if (!data?.items.length) return null;
  return html`<div class="banner is-warning"><${Icon} name="circle-alert" /><div>
    <p><strong>This patient may already have an open referral</strong> with the same name and date of birth:</p>
    <ul>${data.items.map((item) => html`<${Duplicate} key=${item.referral_id} item=${item} />`)}</ul>
  </div></div>`;
}

/** Until the consultation is over, the teams can still decide which of two referrals to keep. */
export function DuplicateHint({ referral }) {
  return PHASES_TO_CHECK.includes(referral.phase) && html`<${Found} id=${referral.referral_id} />`;
}
