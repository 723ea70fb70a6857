// The notices for a referral: scheduled, sent with each recipient, and skipped with the reason.
import { getTimeZone, me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { getLabel } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatDate, formatDay } from "../platform/time.js";
import { Icon, Loading, PageTitle, Problem, useLoad, useOnTabFocus } from "../platform/ui.js";
import { describeEmail, describeSkipReason, formatAgo, isOverdueNotice } from "./notice_labels.js";
import { listReferralNotices } from "./notices_api.js";

const ROWS_SHOWN = 6;
const HOLD_NOTE = "The referral is on hold. Notices go out only if it resumes before their date.";
const SCHEDULE_NOTE =
  "Dates follow the calendar of the center or the team responsible. Each notice is checked again before it goes out.";

/** A recipient: when notified, whether the notice was opened, and the status of the email. */
function RecipientRow({ reader }) {
  const opened = reader.opened_at ? `opened ${formatAgo(reader.opened_at)}` : "not opened";
  return html`<li class="small-text tabular-numbers">
    <span>${reader.name || "Former team member"}</span>
    <span>notified ${formatAgo(reader.told_at)} · ${opened} · ${describeEmail(reader.mail, getTimeZone())}</span>
  </li>`;
}

function NoticeRow({ notice }) {
  const { title, category, due_on: due, sides, told: readers } = notice;
  const day = due ? formatDate(due) : formatDay(readers[0].told_at, getTimeZone());
  const [only] = sides.length === 1 && sides[0] !== me.value.tenant.kind ? sides : [];
  return html`<li>
    <span class="tabular-numbers">${day}</span>
    <div>
      <p>${title}${category === "critical" && html` <span class="chip is-error">Critical</span>`}</p>
      ${only && html`<p class="small-text">Only for the ${getLabel(only).toLowerCase()}</p>`}
      ${notice.state === "planned" && isOverdueNotice(notice) && html`<p class="small-text">Sent only if the status has not changed by then</p>`}
      ${notice.state === "skipped" && html`<p class="small-text">Skipped: ${describeSkipReason(notice.why)}</p>`}
      ${readers.length > 0 && html`<ul class="readers">${readers.map((reader) => html`<${RecipientRow} key=${reader.member_id} reader=${reader} />`)}</ul>`}
      ${notice.state === "told" && !readers.length && !only && html`<p class="small-text">No one on your team was signed up for this notice.</p>`}
    </div>
  </li>`;
}

const NoticeList = ({ notices }) =>
  html`<ol class="notice-history">${notices.map((notice) => html`<${NoticeRow} notice=${notice} />`)}</ol>`;

function NoticeGroup({ title, notices, empty, lead, more }) {
  const id = `notices-${title.toLowerCase().replaceAll(" ", "-")}`;
  return html`<section class="card" aria-labelledby=${id}>
    <div class="card-head"><h2 id=${id}>${title}</h2><span class="chip tabular-numbers">${notices.length}</span></div>
    ${lead && notices.length > 0 && html`<p class="small-text">${lead}</p>`}
    ${notices.length ? html`<${NoticeList} notices=${notices.slice(0, ROWS_SHOWN)} />` : html`<p class="small-text">${empty}</p>`}
    ${notices.length > ROWS_SHOWN && html`<details><summary>${more} (${notices.length - ROWS_SHOWN})</summary><${NoticeList} notices=${notices.slice(ROWS_SHOWN)} /></details>`}
  </section>`;
}

function NoticeGroups({ items }) {
  const withState = (state) => items.filter((notice) => notice.state === state);
  const failed = withState("parked");
  const scheduled = withState("planned");
  return html`${
    failed.length > 0 &&
    html`<${NoticeGroup} title="Failed to send" notices=${failed} more="More" lead="We could not send these after several tries. The system administrator has been notified and can send them again. If the matter is urgent, call the other organization." />`
  }
    <div class="columns">
      <div><${NoticeGroup} title="Sent" notices=${withState("told")} empty="No notices sent to your team yet." more="Earlier" /></div>
      <div>
        <${NoticeGroup} title="Scheduled" notices=${scheduled.reverse()} empty="No notices are scheduled." more="Later"
          lead=${scheduled.some(({ why }) => why) ? HOLD_NOTE : SCHEDULE_NOTE} />
        <${NoticeGroup} title="Skipped" notices=${withState("skipped")} empty="No notices were skipped." more="Earlier" />
      </div>
    </div>`;
}

export function NoticeHistory({ id }) {
  const { data, problem, reload, replace } = useLoad(() => listReferralNotices(id), [id]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  useOnTabFocus(reload);
  const more = async () => {
    if (!data) return;
    const next = await listReferralNotices(id, data.next_cursor);
    replace({ ...next, items: data.items.concat(next.items) });
  };
  return html`<p class="back-link"><a href=${buildReferralHref(id)}><${Icon} name="arrow-left" />Referral</a></p>
    <${PageTitle} page="Notices for a referral">Notices for this referral<//>
    ${(problem || failed) && html`<${Problem} problem=${problem || failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="the notices" />`}
    ${data && html`<${NoticeGroups} items=${data.items} />`}
    ${data?.next_cursor && html`<p class="show-more"><button type="button" onClick=${() => more().then(() => setFailed(null), setFailed)}>Show earlier notices</button></p>`}`;
}
