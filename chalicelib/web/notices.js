// What a member should know: newest first, unread ones marked.
import * as api from "./api.js";
import { html, useRef, useState } from "./dom.js";
import { toReferral } from "./route.js";
import { unread, zone } from "./state.js";
import { timeIn } from "./time.js";
import { announce, Icon, Loading, Problem, Title, useLoad } from "./ui.js";

/** Mark one as read, once, however often it is asked for. */
function useReading(data, replace) {
  const keys = useRef(new Map());
  return async (notice) => {
    if (notice.read_at) return;
    const id = notice.notice_id;
    if (!keys.current.has(id)) keys.current.set(id, api.newKey());
    await api.readNotice(id, keys.current.get(id));
    const now = new Date().toISOString();
    replace({ ...data, items: data.items.map((each) => (each === notice ? { ...each, read_at: now } : each)) });
    unread.value = Math.max(0, unread.value - 1);
    announce("Marked as read");
  };
}

/** Where a notice leads: to its patient, or a digest of several to the list of all. */
const target = (notice) => (notice.referral_id ? toReferral(notice.referral_id) : "#/worklist/all");

function Notice({ notice, read }) {
  return html`<li class=${notice.read_at ? "" : "unread"}>
    <div>
      <p>
        ${!notice.read_at && html`<span class="unseen">Unread: </span>`}
        <a href=${target(notice)} onClick=${() => read(notice)}>${notice.title}</a>
      </p>
      <p class="fine num">${[notice.alias, timeIn(notice.created_at, zone())].filter(Boolean).join(" · ")}</p>
    </div>
    ${!notice.read_at &&
    html`<button type="button" onClick=${() => read(notice)}>
      <${Icon} name="check" />Mark as read<span class="unseen">: ${[notice.title, notice.alias].filter(Boolean).join(", ")}</span>
    </button>`}
  </li>`;
}

export function Notices() {
  const { data, problem, reload, replace } = useLoad(() => api.notices(), []);
  const [failed, setFailed] = useState(null);
  const mark = useReading(data, replace);
  const read = (notice) => mark(notice).then(() => setFailed(null), setFailed);
  const more = async () => {
    const next = await api.notices(data.next_cursor);
    replace({ ...next, items: data.items.concat(next.items) });
  };
  return html`<div class="head"><${Title} page="Notices">Notices<//></div>
    ${(problem || failed) && html`<${Problem} problem=${problem || failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="notices" />`}
    ${data?.items.length === 0 &&
    html`<div class="empty-state card"><${Icon} name="bell" /><p>Nothing to tell you at the moment.</p></div>`}
    ${data?.items.length > 0 &&
    html`<ul class="notices card flush">
      ${data.items.map((notice) => html`<${Notice} key=${notice.notice_id} notice=${notice} read=${read} />`)}
    </ul>`}
    ${data?.next_cursor &&
    html`<p class="more"><button type="button" onClick=${() => more().catch(setFailed)}>Show more</button></p>`}`;
}
