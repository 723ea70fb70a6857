// Information requests: what the center asked for, and the form with which the practice answers item by item.
import { getTimeZone } from "../identity/member.js";
import { html, signal, useEffect, useRef, useState } from "../platform/dom.js";
import { focusHeading } from "../platform/focus.js";
import { RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatCount } from "../platform/labels.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { formatTime } from "../platform/time.js";
import { Field, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { answerInformationRequest, closeInformationRequest, listInformationRequests } from "./conversation_api.js";

const ANSWER_OPTIONS = [
  ["answered", "Answer here"],
  ["sent_separately", "Sent separately"],
  ["none", "None, because…"],
];
const TEXT_LABELS = { answered: "Answer", sent_separately: "How did you send it?", none: "Why is there none?" };
const STATE_LABELS = {
  open: "Open",
  answered: "Answered",
  sent_separately: "Sent separately",
  none: "None",
  document: "Answered with a document",
};
const CLOSE_LABELS = {
  answered: "All items answered",
  closed_by_center: "Closed by the center",
  resubmitted: "Answered by a new submission",
  referral_closed: "The referral is closed",
};

const Time = ({ at }) => html`<time class="tabular-numbers" datetime=${at}>${formatTime(at, getTimeZone())}</time>`;

/** An item with its state, and its answer if there is one. */
function ItemState({ item }) {
  return html`<p><strong>${item.label}</strong> <span class=${item.state === "open" ? "chip is-warning" : "chip"}>${STATE_LABELS[item.state]}</span></p>
    ${item.text && html`<p class="note">${item.text}</p>`}
    ${item.answered_at && html`<p class="small-text">${item.answered_by}, <${Time} at=${item.answered_at} /></p>`}`;
}

/** The fields with which the practice answers an open item. @param {any} properties */
function ItemFields({ item, value = {}, errors, change }) {
  const pointer = `/${item.item_id}`;
  return html`<${RadioChoice} pointer="${pointer}/kind" label=${item.label} value=${value.kind} options=${ANSWER_OPTIONS}
      onPick=${(kind) => change({ ...value, kind })} />
    ${
      value.kind &&
      html`<${Field} pointer="${pointer}/text" label=${TEXT_LABELS[value.kind]} optional=${value.kind === "sent_separately"}
        rows="2" maxlength="4000" value=${value.text ?? ""} error=${errors[`${pointer}/text`]}
        onInput=${(event) => change({ ...value, text: event.target.value })} />`
    }`;
}

// A dialog of the page can have a field for the pointer "/note".
const NOTE = "/answer_note";

const clean = (text) => text?.trim() || null;

/** The server counts answers by their place in the request; the form names fields by item. */
const toFormErrors = (errors, sent) =>
  errors.map((error) => ({
    ...error,
    pointer: error.pointer
      .replace(/^\/items\/(\d+)/, (_, index) => `/${sent[Number(index)].item_id}`)
      .replace(/^\/note$/, NOTE),
  }));

function AnswerForm({ referral, request, showResult, reload }) {
  const [values, setValues] = useState(/** @type {Record<string, any>} */ ({}));
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const post = useIdempotentRequest((body, key) =>
    answerInformationRequest(referral.referral_id, request.request_id, body, key),
  );
  const unknown = !!post.unresolved && !busy;
  const open = request.items.filter(({ state }) => state === "open");
  const chosen = open.filter(({ item_id: id }) => values[id]?.kind);
  const send = async (event) => {
    event?.preventDefault();
    const items = chosen.map(({ item_id: id }) => ({
      item_id: id,
      kind: values[id].kind,
      text: clean(values[id].text),
    }));
    if (!items.length) {
      const errors = [{ pointer: `/${open[0].item_id}/kind`, code: "missing", message: "Answer at least one item." }];
      return setProblem({ errors });
    }
    setBusy(true);
    try {
      const { open_items: left } = await post.run({ items, note: clean(note) });
      // An answered request is no longer on the page.
      if (!left) focusHeading();
      showResult(
        `Answer sent. ${left ? `${formatCount(left, "item")} still open.` : "All items are answered."}`,
        false,
      );
    } catch (failure) {
      setProblem({
        ...failure,
        message: failure.message,
        errors: failure.status === 409 ? [] : toFormErrors(failure.errors, items),
      });
      if (failure.status === 409) reload();
    }
    setBusy(false);
  };
  const errors = Object.fromEntries((problem?.errors ?? []).map((error) => [error.pointer, error.message]));
  return html`<form class="stack" onSubmit=${send} novalidate>
    <${RefusedRequest} problem=${problem} unknown=${unknown} retry=${send}
      onPick=${(pointer) => document.getElementById(toFieldId(pointer))?.focus()} />
    <fieldset class="plain stack" disabled=${unknown}>
      ${open.map(
        (item) => html`<${ItemFields} key=${item.item_id} item=${item} value=${values[item.item_id]} errors=${errors}
          change=${(value) => setValues((old) => ({ ...old, [item.item_id]: value }))} />`,
      )}
      <${Field} pointer=${NOTE} label="Note to the center" optional rows="2" maxlength="4000" value=${note}
        error=${errors[NOTE]} onInput=${(event) => setNote(event.target.value)} />
    </fieldset>
    ${
      !unknown &&
      html`<div class="buttons"><button class="primary" aria-disabled=${busy}>${busy ? "Sending…" : "Send answer"}</button>
        <span class="small-text">You can answer some items now. The others stay open. To answer with a file, use “Add document” below.</span></div>`
    }
  </form>`;
}

/** The button with which the center closes a request that it no longer needs. */
function CloseButton({ referral, request, showResult }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const post = useIdempotentRequest((_, key) => closeInformationRequest(referral.referral_id, request.request_id, key));
  const close = async () => {
    try {
      await post.run(null);
      focusHeading();
      showResult(`Information request closed. ${referral.practice.name} will be notified.`, false);
    } catch (failure) {
      setProblem(failure);
    }
  };
  return html`${problem && html`<${Problem} problem=${problem} />`}
    <div class="buttons"><button type="button" onClick=${close}>Close request</button>
    <span class="small-text">Waiting for ${referral.practice.name}.</span></div>`;
}

function RequestContents({ request, items }) {
  return html`<p class="small-text">${request.requested_by}, <${Time} at=${request.requested_at} /></p>
    ${request.text && html`<p class="note">${request.text}</p>`}
    <ul>${items.map((item) => html`<li key=${item.item_id}><${ItemState} item=${item} /></li>`)}</ul>
    ${request.notes.map(
      (note) => html`<p class="small-text">Note from ${note.written_by}, <${Time} at=${note.written_at} /></p>
      <p class="note">${note.text}</p>`,
    )}`;
}

/** Whether the user asked for the open request from elsewhere on the page. */
const isRequestWanted = signal(false);

export const showOpenRequest = () => (isRequestWanted.value = true);

function OpenRequest({ referral, request, mayAnswer, showResult, reload }) {
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!isRequestWanted.value) return;
    isRequestWanted.value = false;
    title.current?.focus();
  }, [isRequestWanted.value]);
  const { items, open_items: open } = request;
  // For the practice, an open item is in the form below the request.
  const shown = mayAnswer ? items.filter(({ state }) => state !== "open") : items;
  const titleId = `request-${request.request_id}`;
  return html`<section class="card information-request" aria-labelledby=${titleId}>
    <div class="card-head"><h2 id=${titleId} ref=${title} tabindex="-1">Information request</h2><span class="chip is-warning">${open} of ${items.length} open</span></div>
    <${RequestContents} request=${request} items=${shown} />
    ${
      mayAnswer
        ? html`<${AnswerForm} referral=${referral} request=${request} showResult=${showResult} reload=${reload} />`
        : html`<${CloseButton} referral=${referral} request=${request} showResult=${showResult} />`
    }
  </section>`;
}

function ClosedRequests({ requests }) {
  return html`<details class="card information-request">
    <summary>Closed information requests (${requests.length})</summary>
    ${requests.map(
      (request) => html`<div key=${request.request_id}>
        <p><strong>${CLOSE_LABELS[request.close_reason]}</strong>${request.closed_at && html` <span class="small-text"><${Time} at=${request.closed_at} /></span>`}</p>
        <${RequestContents} request=${request} items=${request.items} />
      </div>`,
    )}
  </details>`;
}

/** The requests of a submitted referral, open ones first. */
export function InformationRequests({ referral, showResult }) {
  const id = referral.referral_id;
  const { data, problem, reload } = useLoad(() => listInformationRequests(id), [referral.version]);
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (!data?.items.length) return null;
  const closed = data.items.filter(({ state }) => state === "closed");
  return html`${data.items
    .filter(({ state }) => state === "open")
    .map(
      (request) => html`<${OpenRequest} key=${request.request_id} referral=${referral} request=${request}
        mayAnswer=${data.may_answer} showResult=${showResult} reload=${reload} />`,
    )}
  ${closed.length > 0 && html`<${ClosedRequests} requests=${closed} />`}`;
}
