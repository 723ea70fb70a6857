// The documents of a referral: where each one is, what can be done with it, and what the packet still lacks.
import { LetterRow } from "../coverage/letter.js";
import { getTimeZone, isPractice } from "../identity/member.js";
import { html, useEffect, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatCount } from "../platform/labels.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { formatDate, formatTime } from "../platform/time.js";
import { Dialog, Loading, Problem, useLoad } from "../platform/ui.js";
import { AddDocumentDialog } from "./add_dialog.js";
import { createLink, listDocuments, removeDocument, reportArrival } from "./documents_api.js";

const POLL_MS = 5000;
const MAX_POLLS = 24; // Each one is in the audit trail. A check that takes longer ends with a notice.
const ON_THE_WAY = ["awaiting_upload", "checking"];

/** @type {Record<string, string>} */
const CHIPS = {
  awaiting_upload: "is-warning",
  checking: "is-warning",
  available: "is-accent",
  rejected: "is-error",
};

/** @type {Record<string, string>} */
const ARRIVALS = { received: "Received", not_found: "Not found" };

/** @type {Record<string, string>} */
const PACKET_LABELS = {
  available: "Available",
  sent_outside: "Sent another way",
  on_the_way: "On the way",
  not_found: "Not found by the center",
  missing: "Missing",
};

const REMOVED_PARTS = {
  trailing_data: "data after its end",
  form: "an active form",
  media: "media",
  action: "actions",
};

const Time = ({ at }) => html`<time class="tabular-numbers" datetime=${at}>${formatTime(at, getTimeZone())}</time>`;

const formatSize = (bytes) =>
  bytes < 1_048_576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;

/** What the checked copy lacks, so that a reader knows that it differs from the original. */
const describeRemoved = (parts) =>
  `For safety, removed from the file: ${parts.map((part) => REMOVED_PARTS[part] ?? part).join(", ")}.`;

function FileLine({ file }) {
  const details = [formatSize(file.size), file.pages && formatCount(file.pages, "page")].filter(Boolean).join(", ");
  return html`<p class="small-text">${file.name} <span class="tabular-numbers">(${details})</span></p>
    ${file.removed.length > 0 && html`<p class="small-text">${describeRemoved(file.removed)}</p>`}`;
}

function SentLine({ document: { sent, may_report_arrival: isOurs } }) {
  const parts = [
    `${sent.channel_label} on ${formatDate(sent.sent_on)}`,
    sent.to && `to ${sent.to}`,
    sent.pages && formatCount(sent.pages, "page"),
    sent.confirmation && `confirmation ${sent.confirmation}`,
  ];
  return html`<p class="small-text tabular-numbers">${parts.filter(Boolean).join(", ")}</p>
    ${
      sent.arrival
        ? html`<p class="small-text"><strong>${ARRIVALS[sent.arrival]}</strong>: ${sent.arrival_by}, <${Time} at=${sent.arrival_at} /></p>`
        : html`<p class="small-text">Not confirmed by ${isOurs ? "your" : "the other"} team</p>`
    }`;
}

/** Where a document is, in words. */
function StateChip({ document }) {
  const { state, state_label: label, sent } = document;
  const isLost = sent?.arrival === "not_found" && state === "sent_outside";
  return html`<span class=${`chip ${isLost ? "is-error" : (CHIPS[state] ?? "")}`}>${isLost ? "Not found" : label}</span>`;
}

function RemoveDialog({ referral, document, showResult, onClose }) {
  const reasons = document.may_remove;
  const [reason, setReason] = useState(reasons.length === 1 ? reasons[0].code : "");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const remove = async (event) => {
    event.preventDefault();
    if (!reason)
      return setProblem({ errors: [{ pointer: "/reason", code: "missing", message: "Choose why it is removed." }] });
    setBusy(true);
    try {
      await removeDocument(referral.referral_id, document, reason);
      onClose();
      showResult(
        document.answers
          ? "Document removed. The record of it stays. If it answered a requested item, that item is open again."
          : "Document removed. The record of it stays.",
        false,
      );
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  return html`<${Dialog} title="Remove document" onClose=${onClose}>
    <form class="stack" onSubmit=${remove} novalidate>
      ${problem && !problem.errors?.length && html`<${Problem} problem=${problem} />`}
      <p>${document.kind_label}, added by ${document.added_by}. The file will be deleted.</p>
      <${RadioChoice} pointer="/reason" label="Reason" value=${reason} options=${reasons.map(({ code, text }) => [code, text])}
        error=${problem?.errors?.[0]?.message} onPick=${setReason} />
      <div class="buttons">
        <button aria-disabled=${busy}>${busy ? "Removing…" : "Remove document"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </form>
  <//>`;
}

/** The two answers of the team to which something was sent another way. */
function ArrivalButtons({ referral, document, showResult }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const request = useIdempotentRequest((arrival, key) =>
    reportArrival(referral.referral_id, document.document_id, arrival, key),
  );
  const report = async (arrival) => {
    try {
      await request.run(arrival);
      showResult(`Recorded as ${ARRIVALS[arrival].toLowerCase()}. The sender is notified.`, false);
    } catch (failure) {
      setProblem(failure);
    }
  };
  return html`<${RefusedRequest} problem=${problem} unknown=${!!request.unresolved} retry=${() => report(null)} onPick=${() => {}} />
    ${Object.entries(ARRIVALS)
      .filter(([code]) => document.sent?.arrival !== code)
      .map(
        ([code, label]) => html`<button type="button" onClick=${() => report(code)}>${label}
          <span class="visually-hidden">: ${document.kind_label}</span></button>`,
      )}`;
}

/** Opens the file in a tab of its own, or downloads it. */
function FileButtons({ referral, document: { document_id: id, kind_label: label, may_view: mayView } }) {
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const follow = async (display, tab = /** @type {Window} */ (window)) => {
    try {
      // A download does not leave this page.
      tab.location.assign(await createLink(referral.referral_id, id, display));
      setFailed(null);
    } catch (problem) {
      if (tab !== window) tab.close();
      setFailed(problem);
    }
  };
  const download = () => follow("download");
  const view = () => {
    // Before the request: browsers open a tab only for a click.
    const tab = open("", "_blank");
    if (!tab) return setFailed({ message: "The browser did not open a new tab. Download the file instead." });
    tab.opener = null;
    tab.sessionStorage.clear(); // Its copy of the session would outlive the sign-out here.
    follow("inline", tab);
  };
  return html`${failed && html`<${Problem} problem=${failed} />`}
    ${mayView && html`<button type="button" onClick=${view}>Open<span class="visually-hidden"> ${label} in a new tab</span></button>`}
    <button type="button" onClick=${download}>Download<span class="visually-hidden"> ${label}</span></button>`;
}

function DocumentRow({ referral, document, showResult, remove }) {
  const { state, rejected_because: rejection, removed } = document;
  return html`<li>
    <p><strong>${document.kind_label}</strong> <${StateChip} document=${document} /></p>
    ${document.file && html`<${FileLine} file=${document.file} />`}
    ${document.sent && html`<${SentLine} document=${document} />`}
    ${document.note && html`<p class="note">${document.note}</p>`}
    ${rejection && html`<p>${rejection.text}</p>`}
    ${removed && html`<p class="small-text">${removed.reason.text}. Removed by ${removed.by}, <${Time} at=${removed.at} /></p>`}
    <p class="small-text">Added by ${document.added_by}, <${Time} at=${document.added_at} /></p>
    <div class="buttons">
      ${document.may_open && html`<${FileButtons} referral=${referral} document=${document} />`}
      ${
        document.may_report_arrival &&
        html`<${ArrivalButtons} key=${document.version} referral=${referral} document=${document} showResult=${showResult} />`
      }
      ${
        document.may_remove.length > 0 &&
        html`<button type="button" class="link-button" onClick=${() => remove(document)}>${ON_THE_WAY.includes(state) ? "Cancel" : "Remove"}
          <span class="visually-hidden"> ${document.kind_label}</span></button>`
      }
    </div>
  </li>`;
}

function PacketList({ packet }) {
  const present = packet.filter(({ state }) => ["available", "sent_outside"].includes(state)).length;
  return html`<details>
    <summary>Packet documents: ${present} of ${packet.length}</summary>
    <ul class="packet-documents">${packet.map(
      ({ kind, label, state }) => html`<li key=${kind}>${label}: <strong>${PACKET_LABELS[state]}</strong></li>`,
    )}</ul>
  </details>`;
}

/** Load again while a file is on its way, as long as someone looks at the page. */
function usePolling(isWaiting, reload) {
  useEffect(() => {
    if (!isWaiting) return;
    let left = MAX_POLLS;
    const timer = setInterval(() => !document.hidden && left-- > 0 && reload(), POLL_MS);
    return () => clearInterval(timer);
  }, [isWaiting]);
}

/** The documents of a submitted referral. */
export function Documents({ referral, showResult }) {
  const id = referral.referral_id;
  const { data, problem, reload } = useLoad(() => listDocuments(id), [referral.version]);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState(/** @type {any} */ (null));
  const waiting = (data?.items ?? []).filter(({ state }) => ON_THE_WAY.includes(state)).length;
  usePolling(waiting > 0, reload);
  const show = async (text, failed) => {
    await reload();
    showResult(text, failed);
  };
  return html`<section class="card documents" aria-labelledby="documents">
    <div class="card-head"><h2 id="documents">Documents</h2>
      ${waiting > 0 && html`<span class="chip is-warning" role="status">${formatCount(waiting, "file")} on the way</span>`}</div>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="documents" />`}
    ${data && isPractice() && html`<${PacketList} packet=${data.packet} />`}
    ${
      data &&
      !data.items.length &&
      !data.letter &&
      html`<p class="small-text">No documents yet. Add a file, or record what was sent by fax or portal.</p>`
    }
    <ul>${data?.letter && html`<${LetterRow} id=${id} letter=${data.letter} />`}
    ${data?.items.map(
      (each) =>
        html`<${DocumentRow} key=${each.document_id} referral=${referral} document=${each} showResult=${show} remove=${setRemoving} />`,
    )}</ul>
    ${
      data?.may_add
        ? html`<div class="buttons"><button type="button" onClick=${() => setAdding(true)}>Add document</button></div>`
        : data && html`<p class="small-text">${data.why_not}</p>`
    }
    ${
      adding &&
      data &&
      html`<${AddDocumentDialog} referral=${referral} options=${data} showResult=${show} onClose=${() => setAdding(false)} />`
    }
    ${
      removing &&
      html`<${RemoveDialog} referral=${referral} document=${removing} showResult=${show} onClose=${() => setRemoving(null)} />`
    }
  </section>`;
}
