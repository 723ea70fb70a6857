// The messages between the two teams, oldest first, with who read them, and the form to write one.
import { getTimeZone, isPractice } from "../identity/member.js";
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { formatTime } from "../platform/time.js";
import { announce, Field, Loading, Problem, useLoad } from "../platform/ui.js";
import { getOwnerName, getPartnerName } from "./badges.js";
import { confirmMessagesRead, listMessages, sendMessage } from "./conversation_api.js";

const getOwnSide = () => (isPractice() ? "practice" : "center");

const Time = ({ at }) => html`<time datetime=${at}>${formatTime(at, getTimeZone())}</time>`;

/** Whether the other team read a message. */
function Readers({ message }) {
  if (!message.read_by.length) return html`<p class="small-text">Not read yet</p>`;
  return message.read_by.map(
    ({ name, at }) => html`<p class="small-text tabular-numbers">Read by ${name}, <${Time} at=${at} /></p>`,
  );
}

function MessageRow({ message, referral, isNew }) {
  const own = message.side === getOwnSide();
  return html`<li class=${own ? "is-own" : ""}>
    <p class="small-text tabular-numbers"><strong>${message.sender_name}</strong>, ${getOwnerName(message.side, referral)} ·${" "}
      <${Time} at=${message.sent_at} />${isNew && html` <span class="chip is-accent">New</span>`}</p>
    <p class="note">${message.text}</p>
    ${own && html`<${Readers} message=${message} />`}
  </li>`;
}

/** Calls `onSeen` when the newest message is on the screen of a visible tab. */
function useSeen(newest, onSeen) {
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!newest || !end.current) return;
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && !document.hidden && onSeen());
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [newest]);
  return end;
}

function MessageForm({ referral, onSent }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const request = useIdempotentRequest((body, key) => sendMessage(referral.referral_id, body, key));
  const unknown = !!request.unresolved && !busy;
  const send = async (event) => {
    event?.preventDefault();
    if (!text.trim()) return;
    setBusy(true);
    try {
      await request.run(text.trim());
      setText("");
      setProblem(null);
      announce("Message sent");
      onSent();
    } catch (failure) {
      setProblem(failure);
    }
    setBusy(false);
  };
  const error = problem?.errors?.[0]?.message;
  return html`<form class="stack" onSubmit=${send}>
    ${!error && html`<${RefusedRequest} problem=${problem} unknown=${unknown} retry=${send} onPick=${() => {}} />`}
    <${Field} pointer="/message" label="Message to ${getPartnerName(referral)}" rows="3" maxlength="4000" required value=${text}
      disabled=${unknown} error=${error} onInput=${(event) => setText(event.target.value)}
      hint="Not for emergencies. The email says only that a message is waiting." />
    ${!unknown && html`<div class="buttons"><button aria-disabled=${busy}>${busy ? "Sending…" : "Send message"}</button></div>`}
  </form>`;
}

/** The messages of a submitted referral. `onSent` is called after this member sent one. */
export function Messages({ referral, onSent }) {
  const id = referral.referral_id;
  const { data, problem, reload, replace } = useLoad(() => listMessages(id, null), [referral.version]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const newest = data?.items[0]?.number;
  const end = useSeen(newest, () => {
    // If this request is lost, the messages stay unread.
    if (newest && data?.unread) confirmMessagesRead(id, newest).catch(() => {});
  });
  const more = async () => {
    if (!data) return;
    try {
      const next = await listMessages(id, data.next_cursor);
      replace({ ...next, unread: data.unread, items: data.items.concat(next.items) });
      setFailed(null);
    } catch (failure) {
      setFailed(failure);
    }
  };
  const items = data?.items ?? [];
  const received = items.filter(({ side }) => side !== getOwnSide());
  const unread = new Set(received.slice(0, data?.unread).map(({ number }) => number));
  return html`<section class="card messages" aria-labelledby="messages">
    <div class="card-head"><h2 id="messages">Messages</h2>${unread.size > 0 && html`<span class="chip is-accent">${data?.unread} new</span>`}</div>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="messages" />`}
    ${failed && html`<${Problem} problem=${failed} retry=${more} />`}
    ${data?.next_cursor && html`<button type="button" onClick=${more}>Show earlier messages</button>`}
    ${data && !items.length && html`<p class="small-text">No messages yet. Both teams can read what you write here.</p>`}
    <ol>${items
      .toReversed()
      .map(
        (message) =>
          html`<${MessageRow} key=${message.number} message=${message} referral=${referral} isNew=${unread.has(message.number)} />`,
      )}</ol>
    <span ref=${end} />
    ${data?.may_send && html`<${MessageForm} referral=${referral} onSent=${onSent} />`}
  </section>`;
}
