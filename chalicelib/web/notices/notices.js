// The member's notices, newest first, with unread marks and the status of each email.
import { getTimeZone, unread } from "../identity/member.js";
import { html, useLayoutEffect, useRef, useState } from "../platform/dom.js";
import { keepFocus } from "../platform/focus.js";
import { RadioChoice } from "../platform/form_fields.js";
import { createIdempotencyKey, useIdempotentRequest } from "../platform/idempotent_request.js";
import { buildReferralHref, replaceWith } from "../platform/route.js";
import { formatTime } from "../platform/time.js";
import { announce, Field, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { CATEGORIES, describeEmail, formatAgo, getCategoryName } from "./notice_labels.js";
import { getNotice, listNotices, markNoticeRead, markNoticesRead } from "./notices_api.js";

// The server counts the unread notices among the same number of newest notices.
const PAGE_SIZE = 100;

const isUnread = (notice) => !notice.read_at;

/** Mark one notice, or all notices on the page, as read. Repeated clicks have no further effect. */
function useMarkRead(data, replace) {
  const keys = useRef(new Map());
  const all = useIdempotentRequest(markNoticesRead);
  const showAsRead = (ids) => {
    const now = new Date().toISOString();
    replace({
      ...data,
      items: data.items.map((notice) =>
        ids.includes(notice.notice_id) ? { ...notice, read_at: notice.read_at || now } : notice,
      ),
    });
  };
  const markOne = async (notice) => {
    if (notice.read_at) return;
    const id = notice.notice_id;
    if (!keys.current.has(id)) keys.current.set(id, createIdempotencyKey());
    await markNoticeRead(id, keys.current.get(id));
    showAsRead([id]);
    unread.value = Math.max(0, unread.value - 1);
    announce("Marked as read");
  };
  const markAll = async () => {
    const ids = data.items.filter(isUnread).map((notice) => notice.notice_id);
    while (ids.length) {
      const batch = ids.splice(0, PAGE_SIZE);
      unread.value = (await all.run(batch)).unread;
    }
    showAsRead(data.items.map((notice) => notice.notice_id));
    announce("All notices marked as read");
  };
  return { markOne, markAll };
}

/** The link of a notice: its referral, or the worklist for a digest of several referrals. */
const getNoticeLink = (notice) => (notice.referral_id ? buildReferralHref(notice.referral_id) : "#/worklist/all");

function Notice({ notice, read }) {
  const at = notice.created_at;
  const link = useRef(/** @type {HTMLElement | null} */ (null));
  const markAsRead = () => {
    // The button goes away.
    link.current?.focus();
    read(notice);
  };
  return html`<li class=${isUnread(notice) ? "unread" : ""}>
    <div>
      <p>
        ${isUnread(notice) && html`<span class="visually-hidden">Unread: </span>`}
        <a ref=${link} href=${getNoticeLink(notice)} onClick=${() => read(notice)}>${notice.title}</a>
        ${" "}<span class=${notice.category === "critical" ? "chip is-error" : "chip"}>${getCategoryName(notice.category)}</span>
      </p>
      ${notice.detail && html`<p>${notice.detail}</p>`}
      <p class="small-text tabular-numbers">
        ${notice.alias && `${notice.alias} · `}<time datetime=${at}>${formatTime(at, getTimeZone())}</time>, ${formatAgo(at)}${` · ${describeEmail(notice.mail, getTimeZone())}`}
      </p>
    </div>
    ${
      isUnread(notice) &&
      html`<button type="button" onClick=${markAsRead}>
      <${Icon} name="check" /><span class="label">Mark as read</span><span class="visually-hidden">: ${[notice.title, notice.alias].filter(Boolean).join(", ")}</span>
    </button>`
    }
  </li>`;
}

function Filters({ shown, change, count }) {
  const names = [
    ["", "All types"],
    ["critical", "Critical"],
    ...Object.entries(CATEGORIES).map(([key, [name]]) => [key, name]),
  ];
  return html`<div class="notice-filters">
    <${RadioChoice} pointer="/show" label="Show" value=${shown.unread} onPick=${(value) => change({ ...shown, unread: value })}
      options=${[[false, "All"], [true, `Unread (${count})`]]} />
    <${Field} pointer="/category" label="Type" value=${shown.category} options=${names}
      onInput=${(event) => change({ ...shown, category: event.target.value })} />
  </div>`;
}

/** Opens the referral of a notice, as the link in an email asks, and marks the notice as read. */
function OpenedNotice({ id }) {
  const { problem, reload } = useLoad(async () => {
    const notice = await getNotice(id);
    if (!notice.read_at) {
      // The referral opens even if this fails; the notice then stays unread.
      await markNoticeRead(id, createIdempotencyKey()).then(
        () => (unread.value = Math.max(0, unread.value - 1)),
        () => {},
      );
    }
    replaceWith(getNoticeLink(notice));
  }, [id]);
  if (problem?.status === 404)
    return html`<div class="banner"><${Icon} name="bell" /><p>This link does not lead to one of your notices. It may be for a colleague, or the notice was removed. These are your notices.</p></div>
      <${NoticeList} />`;
  if (problem) return html`<${PageTitle} page="Notices">Notice<//><${Problem} problem=${problem} retry=${reload} />`;
  return html`<${Loading} what="the notice" />`;
}

export const Notices = ({ id }) => (id ? html`<${OpenedNotice} id=${id} />` : html`<${NoticeList} />`);

function NoticeList() {
  const { data, problem, reload, replace } = useLoad(() => listNotices(null, PAGE_SIZE), []);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const [shown, setShown] = useState({ unread: false, category: "" });
  const marking = useMarkRead(data, replace);
  const attempt = (work) => work.then(() => setFailed(null), setFailed);
  const more = async () => {
    if (!data) return;
    const next = await listNotices(data.next_cursor, PAGE_SIZE);
    replace({ ...next, items: data.items.concat(next.items) });
  };
  const received = data?.items ?? [];
  const count = received.filter(isUnread).length;
  useLayoutEffect(() => void (data && keepFocus()), [count]);
  const items = received.filter(
    (notice) => (!shown.unread || isUnread(notice)) && (!shown.category || notice.category === shown.category),
  );
  return html`<div class="title-row"><${PageTitle} page="Notices">Notices<//>
      <span class="spacer" />
      ${count > 0 && html`<button type="button" onClick=${() => attempt(marking.markAll())}><${Icon} name="check" />Mark all as read</button>`}
      <a class="button" href="#/preferences"><${Icon} name="bell" />Notification settings</a>
    </div>
    ${(problem || failed) && html`<${Problem} problem=${problem || failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="notices" />`}
    ${received.length > 0 && html`<${Filters} shown=${shown} change=${setShown} count=${count} />`}
    ${
      data &&
      items.length === 0 &&
      html`<div class="empty-state card"><${Icon} name="bell" />
      <p>${received.length ? "No notices match these filters." : "You have no notices."}</p>
    </div>`
    }
    ${
      items.length > 0 &&
      html`<ul class="notice-list card no-padding">
      ${items.map((notice) => html`<${Notice} key=${notice.notice_id} notice=${notice} read=${(opened) => attempt(marking.markOne(opened))} />`)}
    </ul>`
    }
    ${
      data?.next_cursor &&
      html`<p class="show-more"><button type="button" onClick=${() => attempt(more())}>Show earlier notices</button></p>`
    }`;
}
