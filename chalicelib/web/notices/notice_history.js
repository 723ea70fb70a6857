// A referral's notices: what is planned, who was told of what, what was left out and why.
import { getTimeZone, me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { getLabel } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatDate, formatDay } from "../platform/time.js";
import { Icon, Loading, PageTitle, Problem, useLoad, useOnTabFocus } from "../platform/ui.js";
import { describeMail, describeSkipReason, formatAgo, isOverdueNotice } from "./notice_labels.js";
import { listReferralNotices } from "./notices_api.js";

const ROWS_SHOWN = 6;
const HOLD_NOTE = "The referral is on hold. Each is told only if the hold is over by its day.";

/** One person: when told, whether it was opened, and what became of the mail. */
function RecipientRow({ reader }) {
  const opened = reader.opened_at ? `opened ${formatAgo(reader.opened_at)}` : "not opened yet";
  return html`<li class="small-text tabular-numbers">
    <span>${reader.name || "Somebody who left"}</span>
    <span>told ${formatAgo(reader.told_at)} · ${opened} · ${describeMail(reader.mail, getTimeZone())}</span>
  </li>`;
}

function NoticeRow({ notice }) {
  const { title, category, due_on: due, sides, told } = notice;
  const day = due ? formatDate(due) : formatDay(told[0].told_at, getTimeZone());
  const [only] = sides.length === 1 && sides[0] !== me.value.tenant.kind ? sides : [];
  return html`<li>
    <span class="tabular-numbers">${day}</span>
    <div>
      <p>${title}${category === "critical" && html` <span class="chip is-error">Critical</span>`}</p>
      ${only && html`<p class="small-text">For the ${getLabel(only).toLowerCase()} alone</p>`}
      ${notice.state === "planned" && isOverdueNotice(notice) && html`<p class="small-text">Unless the referral has moved on by then</p>`}
      ${notice.state === "skipped" && html`<p class="small-text">Not told: ${describeSkipReason(notice.why)}</p>`}
      ${told.length > 0 && html`<ul class="readers">${told.map((reader) => html`<${RecipientRow} key=${reader.member_id} reader=${reader} />`)}</ul>`}
      ${notice.state === "told" && !told.length && !only && html`<p class="small-text">Nobody of your team was there to be told.</p>`}
    </div>
  </li>`;
}

const NoticeList = ({ notices }) =>
  html`<ol class="notice-history">${notices.map((notice) => html`<${NoticeRow} notice=${notice} />`)}</ol>`;

function NoticeGroup({ title, notices, empty, lead, more }) {
  const id = `told-${title.toLowerCase().replaceAll(" ", "-")}`;
  return html`<section class="card" aria-labelledby=${id}>
    <div class="card-head"><h2 id=${id}>${title}</h2><span class="chip tabular-numbers">${notices.length}</span></div>
    ${lead && notices.length > 0 && html`<p class="small-text">${lead}</p>`}
    ${notices.length ? html`<${NoticeList} notices=${notices.slice(0, ROWS_SHOWN)} />` : html`<p class="small-text">${empty}</p>`}
    ${notices.length > ROWS_SHOWN && html`<details><summary>${more} (${notices.length - ROWS_SHOWN})</summary><${NoticeList} notices=${notices.slice(ROWS_SHOWN)} /></details>`}
  </section>`;
}

function NoticeGroups({ items }) {
  const of = (state) => items.filter((notice) => notice.state === state);
  const parked = of("parked");
  return html`${
    parked.length > 0 &&
    html`<${NoticeGroup} title="Could not be told" notices=${parked} more="More" lead="It failed too often. Whoever runs this service has been alarmed, and can try it again." />`
  }
    <div class="columns">
      <div><${NoticeGroup} title="Told" notices=${of("told")} empty="Nobody of your team has been told of anything yet." more="Earlier" /></div>
      <div>
        <${NoticeGroup} title="Planned" notices=${of("planned").reverse()} empty="Nothing is planned." more="Later"
          lead=${of("planned").some(({ why }) => why) ? HOLD_NOTE : "By the calendar of the center, or of the team whose move it is. Each is looked at again on its day."} />
        <${NoticeGroup} title="Left out" notices=${of("skipped")} empty="Nothing was left out." more="Earlier" />
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
    <${PageTitle} page="Notices of a referral">Notices of this referral<//>
    ${(problem || failed) && html`<${Problem} problem=${problem || failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="the notices" />`}
    ${data && html`<${NoticeGroups} items=${data.items} />`}
    ${data?.next_cursor && html`<p class="show-more"><button type="button" onClick=${() => more().then(() => setFailed(null), setFailed)}>Show earlier ones</button></p>`}`;
}
