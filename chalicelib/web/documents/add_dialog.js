// The dialog that adds a document: a file with its upload, or the record of what was sent another way.
import { getTimeZone, isPractice } from "../identity/member.js";
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { formatWallClock } from "../platform/time.js";
import { Dialog, Field, toFieldId, useLoad } from "../platform/ui.js";
import { listInformationRequests } from "../referrals/conversation_api.js";
import { addDocument, computeDigest, removeDocument, uploadFile } from "./documents_api.js";

/** @type {Record<string, string>} */
const TYPES = {
  pdf: "application/pdf",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  tif: "image/tiff",
  tiff: "image/tiff",
};
const ACCEPT = Object.keys(TYPES)
  .map((ending) => `.${ending}`)
  .join(",");
const WAYS = [
  ["file", "Upload a file"],
  ["sent", "Already sent by fax, portal or another way"],
];

const clean = (text) => text?.trim() || null;

const findType = (name) => TYPES[name.split(".").pop().toLowerCase()];

/** What is wrong with a chosen file, before anything is sent. */
function findFileProblem(file, maxBytes) {
  if (!file) return "Choose a file.";
  if (/\.(heic|heif)$/i.test(file.name)) return "Save the photo as JPEG, then choose it.";
  if (!findType(file.name)) return "Choose a PDF, JPEG, PNG or TIFF file.";
  if (!file.size) return "The file is empty. Choose another file.";
  if (file.size > maxBytes) return `The file is larger than ${maxBytes / 1_048_576} MB. Save it smaller, or split it.`;
  return null;
}

/** The open items of information requests, as options: the value names both ids. */
function useOpenItems(referral) {
  const { data } = useLoad(() => listInformationRequests(referral.referral_id), []);
  if (!isPractice()) return [];
  const requests = (data?.items ?? []).filter(({ state }) => state === "open");
  return requests.flatMap(({ request_id: request, items }) =>
    items
      .filter(({ state }) => state === "open")
      .map(({ item_id: item, item: code, label }) => ({ request, item, code, label })),
  );
}

function SentFields({ values, set, errors, channels, today }) {
  const field = (name) => ({
    value: values[name] ?? "",
    error: errors[`/sent/${name}`],
    onInput: (event) => set(name, event.target.value),
  });
  return html`<${Field} pointer="/sent/channel" label="How was it sent?" options=${channels.map(({ code, text }) => [code, text])} ...${field("channel")} />
    <${Field} pointer="/sent/sent_on" label="Sent on" type="date" max=${today} ...${field("sent_on")} />
    <${Field} pointer="/sent/to" label="Fax number, portal or address" optional maxlength="200" ...${field("to")} />
    <${Field} pointer="/sent/pages" label="Pages" optional inputmode="numeric" ...${field("pages")} />
    <${Field} pointer="/sent/confirmation" label="Confirmation number" optional maxlength="200" ...${field("confirmation")} />`;
}

/** How much of the file was sent, with a button to stop. */
function Progress({ percent, stop }) {
  return html`<div role="status" class="stack">
    <label>Sending the file <progress max="100" value=${percent}></progress> <span class="tabular-numbers">${percent}%</span></label>
    <div class="buttons"><button type="button" onClick=${stop}>Cancel upload</button></div>
  </div>`;
}

/** Sends the file of a new document, and removes the document if the person stops. */
function useUpload(referral, showResult, onClose) {
  const [percent, setPercent] = useState(/** @type {number | null} */ (null));
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const current = useRef(/** @type {any} */ (null));
  const send = async (added, file) => {
    const stop = new AbortController();
    current.current = { stop, added, file };
    setFailed(null);
    setPercent(0);
    try {
      await uploadFile(added.upload, file, setPercent, stop.signal);
    } catch (failure) {
      setPercent(null);
      if (!stop.signal.aborted) setFailed(failure);
      return;
    }
    onClose();
    showResult("File sent. It is checked before the other team can see it.", false);
  };
  const cancel = async () => {
    const { stop, added } = current.current;
    stop.abort();
    onClose();
    // If this request is lost, the upload expires by itself.
    await removeDocument(referral.referral_id, added.document, "canceled").catch(() => {});
    showResult("Upload canceled.", false);
  };
  const retry = () => send(current.current.added, current.current.file);
  // The upload goes on only while someone can see it.
  useEffect(() => () => current.current?.stop.abort(), []);
  return { percent, failed, send, cancel, retry };
}

export function AddDocumentDialog({ referral, options, showResult, onClose }) {
  const today = formatWallClock(Date.now(), getTimeZone()).slice(0, 10);
  const [way, setWay] = useState("file");
  const [kind, setKind] = useState("");
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [sent, setSent] = useState(/** @type {Record<string, string>} */ ({ channel: "fax", sent_on: today }));
  const [answers, setAnswers] = useState("");
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const openItems = useOpenItems(referral);
  const request = useIdempotentRequest((body, key) => addDocument(referral.referral_id, body, key));
  const upload = useUpload(referral, showResult, onClose);
  const unknown = !!request.unresolved && !busy;
  const isSending = upload.percent !== null;

  const pickItem = (value) => {
    setAnswers(value);
    const code = value && openItems[Number(value)]?.code;
    if (code && options.kinds.some((known) => known.code === code)) setKind(code);
  };
  const buildBody = async () => {
    const item = answers ? openItems[Number(answers)] : null;
    return {
      kind,
      ...(way === "file" && file
        ? {
            file: {
              name: file.name.slice(0, 200),
              type: findType(file.name),
              size: file.size,
              sha256: await computeDigest(file),
            },
          }
        : {
            sent: {
              channel: sent.channel,
              sent_on: sent.sent_on,
              to: clean(sent.to),
              pages: clean(sent.pages) ? Number(sent.pages) : null,
              confirmation: clean(sent.confirmation),
            },
          }),
      answers: item ? { request_id: item.request, item_id: item.item } : null,
      note: clean(note),
    };
  };
  const findErrors = () => {
    const wrong = way === "file" ? findFileProblem(file, options.max_bytes) : null;
    return [
      ...(kind ? [] : [{ pointer: "/kind", code: "missing", message: "Choose what it is." }]),
      ...(wrong ? [{ pointer: "/file", code: "missing", message: wrong }] : []),
    ];
  };
  const send = async (event) => {
    event?.preventDefault();
    const errors = request.unresolved ? [] : findErrors();
    if (errors.length) return setProblem({ errors });
    setBusy(true);
    try {
      const added = await request.run(request.unresolved ? null : await buildBody());
      setProblem(null);
      if (added.upload) await upload.send(added, file);
      else {
        onClose();
        showResult("Recorded. The other team is notified.", false);
      }
    } catch (failure) {
      setProblem(failure);
    }
    setBusy(false);
  };
  const errors = Object.fromEntries((problem?.errors ?? []).map((error) => [error.pointer, error.message]));
  const close = isSending ? upload.cancel : onClose;
  return html`<${Dialog} title="Add document" onClose=${close}>
    <form class="stack" onSubmit=${send} novalidate>
      <${RefusedRequest} problem=${problem} unknown=${unknown} retry=${send}
        onPick=${(pointer) => document.getElementById(toFieldId(pointer))?.focus()} />
      ${
        upload.failed &&
        html`<div class="banner is-error" role="alert"><p>The file was not sent completely. Check your internet connection.
          <button type="button" onClick=${upload.retry}>Send again</button></p></div>`
      }
      ${isSending && html`<${Progress} percent=${upload.percent} stop=${upload.cancel} />`}
      <fieldset class="plain stack" disabled=${unknown || isSending || !!upload.failed}>
        <${RadioChoice} pointer="/way" label="How does the other team get it?" value=${way} options=${WAYS} onPick=${setWay} />
        ${
          openItems.length > 0 &&
          html`<${Field} pointer="/answers" label="Answers a requested item" optional value=${answers}
            options=${[["", "No"], ...openItems.map(({ label }, index) => [String(index), label])]}
            onInput=${(event) => pickItem(event.target.value)} />`
        }
        <${Field} pointer="/kind" label="What is it?" value=${kind} error=${errors["/kind"]}
          options=${[["", "Choose…"], ...options.kinds.map(({ code, text }) => [code, text])]} onInput=${(event) => setKind(event.target.value)} />
        ${
          way === "file"
            ? html`<${Field} pointer="/file" label="File" type="file" accept=${ACCEPT} error=${errors["/file"] || errors["/file/name"]}
                hint="PDF, JPEG, PNG or TIFF, up to 25 MB." onInput=${(event) => setFile(event.target.files[0] ?? null)} />`
            : html`<${SentFields} values=${sent} set=${(name, value) => setSent((old) => ({ ...old, [name]: value }))} errors=${errors}
                channels=${options.channels} today=${today} />`
        }
        <${Field} pointer="/note" label="Note" optional rows="2" maxlength="4000" value=${note} error=${errors["/note"]}
          onInput=${(event) => setNote(event.target.value)} />
      </fieldset>
      <div class="buttons">
        ${
          !unknown &&
          !isSending &&
          !upload.failed &&
          html`<button class="primary" aria-disabled=${busy}>${busy ? "Saving…" : way === "file" ? "Add file" : "Record"}</button>`
        }
        ${!isSending && html`<button type="button" onClick=${upload.failed ? upload.cancel : onClose}>${unknown ? "Close" : "Cancel"}</button>`}
      </div>
    </form>
  <//>`;
}
