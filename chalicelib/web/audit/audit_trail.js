// The audit trail of your organization, of one of its people, or of one referral, for administrators.
import { getTimeZone, isAdmin, me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { getLabel } from "../platform/labels.js";
import { formatTime } from "../platform/time.js";
import { Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { listAudit, listMembers } from "./audit_api.js";

const formatAction = (action) => getLabel(action.replaceAll(".", "_"));

/** What an attempt was about. A referral has a trail of its own. */
const Subject = ({ subject, names }) =>
  subject.startsWith("ref_")
    ? html`<a class="code" href=${`#/audit/${subject}`} aria-label="Audit trail of ${subject}">${subject}</a>`
    : html`${names[subject.split("#")[1]]}<span class="subtext code">${subject}</span>`;

/** The person who tried it. People of the other organization are known by their ids only. */
const Actor = ({ row, names }) =>
  html`${
    names[row.actor_id]
      ? html`<a href=${`#/audit/${row.actor_id}`} aria-label="Only what ${names[row.actor_id]} did">${names[row.actor_id]}</a>`
      : row.tenant_id === me.value.tenant.tenant_id
        ? "Automatic"
        : "Another organization"
  }
    <span class="subtext code">${row.actor_id}</span>`;

const AuditRow = ({ row, names }) => html`<tr role="row">
  <th scope="row" role="rowheader"><time datetime=${row.at} class="tabular-numbers">${formatTime(row.at, getTimeZone())}</time></th>
  <td role="cell"><${Actor} row=${row} names=${names} /></td>
  <td role="cell">${formatAction(row.action)}
    ${row.outcome !== "allowed" && html` <span class="chip is-warning">${getLabel(row.outcome)}</span>`}</td>
  <td role="cell"><${Subject} subject=${row.subject} names=${names} /></td>
</tr>`;

/** Which entries are shown, and the way back to all of them. */
function Scope({ referral, actor, name }) {
  if (referral)
    return html`<p class="lead">Who read or changed referral <span class="code">${referral}</span>. <a href="#/audit">See your organization</a></p>`;
  if (!actor)
    return html`<p class="lead">What people of ${me.value.tenant.name} changed outside of referrals, and what they were refused.</p>`;
  return html`<p class="lead">What ${name} changed outside of referrals, and was refused. What a person reads or changes in a referral is in the trail of that referral.</p>
    <p class="actions"><span class="chip is-accent">Only ${name}</span> <a href="#/audit">Show everyone</a></p>`;
}

/** Older entries are read part by part, and a part can have none of the person's. */
function describeNothing(actor, name, isLast) {
  if (!actor) return "Nothing was changed or refused yet.";
  return isLast
    ? `No entries by ${name}.`
    : `No entries by ${name} in the newest part of the trail. Older entries were not searched yet.`;
}

/** An address names a referral, a person of your organization, or neither. */
export function AuditTrail({ id }) {
  const actor = id?.startsWith("mem_") ? id : undefined;
  const referral = actor ? undefined : id;
  const { data, problem, reload, replace } = useLoad(async () => {
    const [page, members] = await Promise.all([listAudit(referral, actor), listMembers()]);
    return { ...page, names: Object.fromEntries(members.items.map((each) => [each.member_id, each.name])) };
  }, [id]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const more = () =>
    data &&
    listAudit(referral, actor, data.next_cursor).then((next) => {
      setFailed(null);
      replace({ ...data, ...next, items: data.items.concat(next.items) });
    }, setFailed);
  if (!isAdmin())
    return html`<${PageTitle} page="Audit trail">Audit trail<//><p class="banner">Only an administrator can see the audit trail.</p>`;
  const name = data?.names[actor] ?? "this person";
  return html`<div class="title-row"><${PageTitle} page="Audit trail">Audit trail<//><span class="spacer" />
      <button type="button" onClick=${reload} aria-label="Refresh the audit trail"><${Icon} name="refresh-cw" /></button></div>
    <${Scope} referral=${referral} actor=${actor} name=${name} />
    ${(problem || failed) && html`<${Problem} problem=${problem || failed} retry=${problem ? reload : more} />`}
    ${!data && !problem && html`<${Loading} what="the audit trail" />`}
    ${data?.items.length === 0 && html`<div class="empty-state card"><${Icon} name="inbox" /><p>${describeNothing(actor, name, !data.next_cursor)}</p></div>`}
    ${
      data &&
      data.items.length > 0 &&
      html`<div class="card no-padding"><table role="table" class="data-table">
        <caption class="visually-hidden">Audit trail, most recent first</caption>
        <thead role="rowgroup"><tr role="row">
          ${["When", "Who", "What", "About"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
        </tr></thead>
        <tbody role="rowgroup">${data.items.map((row, index) => html`<${AuditRow} key=${index} row=${row} names=${data.names} />`)}</tbody>
      </table></div>`
    }
    ${data?.next_cursor && html`<p class="show-more"><button type="button" onClick=${more}>${data.items.length ? "Show" : "Search"} earlier entries</button></p>`}`;
}
