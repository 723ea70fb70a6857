// The center's intake: accept a referral, and open the next one of the same list that waits for a decision.
import { html, useEffect, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatFullName } from "../platform/labels.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { buildReferralHref, replaceWith } from "../platform/route.js";
import { mayLeave } from "../platform/shortcut_keys.js";
import { useShortcuts } from "../platform/shortcuts.js";
import { getNowAfter } from "../platform/timestamps.js";
import { announce, Dialog, Icon } from "../platform/ui.js";
import { openInstead } from "./list_navigation.js";
import { getReferral, sendEvent } from "./referrals_api.js";
import { getLastKnownTime, SAVED_IN_HISTORY } from "./report_dialog.js";
import { loadList, openingNote, openList, PAGE_ROWS } from "./worklist.js";
import { buildListHref } from "./worklist_address.js";

/** The status that this step reports. */
export const ACCEPTED = "accepted";

/** The status with which a center ends a referral before treatment. */
export const DECLINED = "declined";

/** The statuses in which a referral waits for the center's decision. */
const WAITING = ["submitted", "received"];

/** How long the button waits on a page that opened: a second click was meant for the patient before. */
const PAUSE_MS = 1000;

/** How many pages of the list are searched for the next referral. */
const MOST_PAGES = 10;

const CHANGED = "Not accepted. Check what changed, then accept the referral.";
const LIST_FAILED = "The list did not load, so the next referral did not open. Go back to the worklist.";
const NOT_UNDONE =
  "Not undone. A later step is already recorded. Open the referral, and correct the entry in its timeline.";
const UNSENT = "Not accepted. Send or clear the text that you typed on this page, then accept the referral.";

/**
 * Find the first referral after this one that waits for a decision, else the first one before it, and remember the
 * list as it is now. `isWhole`: whether the search reached the end of the list.
 */
async function findNext(id) {
  const list = openList.peek();
  if (!list) return { next: null, isWhole: false };
  const ids = list.page.items.map(({ referral_id: each }) => each);
  const later = new Set(ids.slice(ids.indexOf(id) + 1));
  const { page: here } = list.address;
  const pages = Math.max(here, Math.ceil((list.page.total ?? 0) / PAGE_ROWS));
  for (let n = 0; n < Math.min(pages, MOST_PAGES); n++) {
    const fresh = await loadList({ ...list.address, page: ((here - 1 + n) % pages) + 1 }, list.q);
    const waiting = fresh.page.items.filter((row) => row.referral_id !== id && WAITING.includes(row.stage));
    const next = waiting.find((row) => later.has(row.referral_id)) ?? waiting[0];
    if (!next) continue;
    openList.value = fresh;
    return { next, isWhole: true };
  }
  return { next: null, isWhole: pages <= MOST_PAGES };
}

/** Say what happened on the page that opens next, which takes the place of this one in the browser's history. */
function leave(at, text, banner) {
  openingNote.value = { at, text, banner };
  if (at) openInstead(at);
  else replaceWith(openList.peek() ? buildListHref(/** @type {any} */ (openList.peek()).address) : "#/");
}

/** A line at the top of the page that opened. The worklist reads its text aloud together with its count. */
function Note({ text, isReadAloud, children }) {
  useEffect(() => {
    if (isReadAloud) announce(text);
  }, []);
  return html`<div class="banner is-success opening-note"><${Icon} name="check" />${children}</div>`;
}

/** What was accepted, and the way to take it back: a correction of the entry, and then the referral again. */
function AcceptedNote({ referral, eventId, text, isLast, rest }) {
  const { referral_id: id, practice } = referral;
  const name = formatFullName(referral.patient);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const request = useIdempotentRequest((body, key) => sendEvent(id, body, key));
  const unknown = !!request.unresolved && !busy;
  const undo = async () => {
    if (busy || !mayLeave()) return;
    setBusy(true);
    try {
      if (!request.unresolved && (await getReferral(id)).data.stage !== ACCEPTED) throw refuse(NOT_UNDONE);
      await request.run({
        type: "event.corrected",
        occurred_at: new Date().toISOString(),
        data: { supersedes: eventId },
      });
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
      return;
    }
    const list = openList.peek();
    // The referral waits again. Without the list, the page has no way to the next one; that is all.
    if (list) openList.value = await loadList(list.address, list.q).catch(() => list);
    const undone = `Acceptance of ${name} undone. ${practice.name} will be notified.`;
    leave(id, undone, html`<${Note} text=${undone} isReadAloud><p>${undone}</p><//>`);
  };
  return html`<${Note} text=${text} isReadAloud=${!isLast}>
      <p>Accepted <a href=${buildReferralHref(id)}>${name}</a> for evaluation. ${practice.name} will be notified. ${rest}</p>
      ${!unknown && html`<button type="button" aria-disabled=${busy} aria-label="Undo the acceptance of ${name}" onClick=${undo}>${busy ? "Undoing…" : "Undo"}</button>`}
    <//>
    <${RefusedRequest} problem=${problem} unknown=${unknown} retry=${undo} onPick=${() => {}} />`;
}

/** A refusal by the page itself, in the form of one by the server. */
const refuse = (message) => Object.assign(new Error(message), { status: 409, errors: [], passing: false });

/** The question that the key asks: a key that is pressed by accident must not accept a patient. */
function Confirmation({ referral, onConfirm, onClose }) {
  return html`<${Dialog} title="Accept ${formatFullName(referral.patient)} for evaluation?" onClose=${onClose} byKey>
    <p>${referral.practice.name} will be notified. The next referral that waits for your decision opens.</p>
    <div class="buttons">
      <button type="button" class="primary" onClick=${onConfirm}>Accept and open next</button>
      <button type="button" onClick=${onClose}>Cancel</button>
    </div>
  <//>`;
}

/** Whether the page has been open long enough that a click is about this patient. */
function useIsSettled() {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), PAUSE_MS);
    return () => clearTimeout(timer);
  }, []);
  return isSettled;
}

/** The button accepts at once; its key asks first. */
export function AcceptAndOpenNext({ referral, showResult }) {
  const id = referral.referral_id;
  const name = formatFullName(referral.patient);
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const request = useIdempotentRequest((body, key) => sendEvent(id, body, key));
  const unknown = !!request.unresolved && !busy;
  const isSettled = useIsSettled();
  useShortcuts({ a: !busy && !unknown && ["Accept this referral and open the next one", () => setAsking(true)] });

  const stop = (text, failed = true) => {
    setBusy(false);
    return showResult(text, failed);
  };
  const openNext = async (eventId) => {
    const { next, isWhole } = await findNext(id);
    const rest = isWhole
      ? "No other referral in this list waits for your decision."
      : "Choose the next one in the list.";
    const text = `Accepted ${name}. ${next ? `Next: ${formatFullName(next.patient)}.` : rest}`;
    const note = html`<${AcceptedNote} referral=${referral} eventId=${eventId} text=${text} isLast=${!next} rest=${!next && rest} />`;
    leave(next?.referral_id ?? "", text, note);
  };
  const send = async () => {
    // A repeat of a request whose outcome is unknown needs no check: the first try can be the change.
    if (!request.unresolved && (await getReferral(id)).data.version !== referral.version) return null;
    const occurredAt = getNowAfter(getLastKnownTime(referral));
    return request.run({ type: "stage.changed", occurred_at: occurredAt, data: { stage: ACCEPTED } });
  };
  const accept = async () => {
    setAsking(false);
    if (busy) return;
    if (!mayLeave()) return showResult(UNSENT, true);
    setBusy(true);
    setProblem(null);
    let result;
    try {
      result = await send();
    } catch (failure) {
      if (failure.status === 409) return stop(`Not accepted. ${failure.errors[0]?.message ?? failure.message}`);
      setProblem(failure);
      return setBusy(false);
    }
    if (!result) return stop(CHANGED);
    if (result.status === "recorded") return stop(SAVED_IN_HISTORY, false);
    return openNext(result.event_id).catch(() => stop(`Accepted ${name}. ${LIST_FAILED}`, false));
  };
  return html`${!unknown && html`<button type="button" class="primary" aria-disabled=${busy || !isSettled} onClick=${() => isSettled && accept()}>${busy ? "Accepting…" : "Accept and open next"}</button>`}
    ${problem && html`<div class="refused"><${RefusedRequest} problem=${problem} unknown=${unknown} retry=${accept} onPick=${() => {}} /></div>`}
    ${isAsking && html`<${Confirmation} referral=${referral} onConfirm=${accept} onClose=${() => setAsking(false)} />`}`;
}
