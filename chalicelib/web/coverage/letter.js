// The letter of medical necessity: filled from the record, edited and saved by the practice.
import { getTimeZone, isPractice } from "../identity/member.js";
import { html, useEffect, useState } from "../platform/dom.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { formatTime } from "../platform/time.js";
import { announce, Field, Loading, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { getLetter, saveLetter } from "./coverage_api.js";

const ELEMENT_ID = "letter-of-medical-necessity";
// The server calls it "/text", and so it does the text of a message or of a request on the same page.
const FIELD = "/letter";

/** @param {any} properties */
function LetterForm({ id, letter, etag, onSaved }) {
  const [text, setText] = useState(letter.text);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const save = async (/** @type {boolean} */ final) => {
    setProblem(null);
    try {
      await saveLetter(id, { text, final }, etag);
      announce("Letter saved");
      await onSaved();
    } catch (failure) {
      setProblem(failure);
    }
  };
  const errors = Object.fromEntries((problem?.errors ?? []).map((/** @type {any} */ e) => [e.pointer, e.message]));
  return html`<div class="stack">
    <${RefusedRequest} problem=${problem} unknown=${!!problem?.outcomeUnknown} retry=${() => save(false)}
      onPick=${() => document.getElementById(toFieldId(FIELD))?.focus()} />
    <${Field} pointer=${FIELD} label="Letter" rows="18" maxlength="20000" value=${text} error=${errors["/text"]} readonly=${!isPractice()}
      hint="Filled from the record. Fill in each […] yourself, and check every fact before you send it."
      onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
    ${
      isPractice() &&
      html`<div class="buttons">
        <button type="button" onClick=${() => save(false)}>Save letter</button>
        <button type="button" onClick=${() => save(true)}>Save as final</button>
        <button type="button" class="ghost-button" onClick=${() => setText(letter.draft)}>Fill again from the record</button>
      </div>`
    }
    <p class="small-text">${letter.saved_by ? `Version ${letter.version}, saved by ${letter.saved_by}${letter.final ? ", final" : ""}.` : "Not saved yet."}</p>
  </div>`;
}

/** The referral whose letter is opened as soon as its coverage card has loaded. */
let wanted = "";

/** Open the letter in the coverage card, and move the focus there. @param {string} id */
function showLetter(id) {
  const details = /** @type {HTMLDetailsElement | null} */ (document.getElementById(ELEMENT_ID));
  wanted = details ? "" : id;
  if (!details) return;
  details.open = true;
  details.scrollIntoView({ block: "start" });
  details.querySelector("summary")?.focus();
}

/** The letter in the list of documents. @param {{id: string, letter: import("../platform/api_types.js").SavedLetterResponse}} properties */
export const LetterRow = ({ id, letter }) => html`<li>
  <p><strong>Letter of medical necessity</strong> <span class="chip">${letter.final ? "Final" : "Not final"}</span></p>
  <p class="small-text">Version ${letter.version}, saved by ${letter.saved_by}, <time class="tabular-numbers" datetime=${letter.saved_at}>${formatTime(letter.saved_at, getTimeZone())}</time></p>
  <div class="buttons"><button type="button" onClick=${() => showLetter(id)}>Open<span class="visually-hidden"> Letter of medical necessity</span></button></div>
</li>`;

/** @param {{id: string, onSaved: () => unknown}} properties */
export function Letter({ id, onSaved }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (wanted === id) showLetter(id);
  }, [id]);
  return html`<details id=${ELEMENT_ID} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>Letter of medical necessity</summary>
    ${isOpen && html`<${OpenLetter} id=${id} onSaved=${onSaved} />`}
  </details>`;
}

/** @param {{id: string, onSaved: () => unknown}} properties */
function OpenLetter({ id, onSaved }) {
  const { data, problem, reload } = useLoad(() => getLetter(id), []);
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} what="the letter" />`;
  const saved = async () => {
    await reload();
    await onSaved();
  };
  return html`<${LetterForm} key=${data.data.version} id=${id} letter=${data.data} etag=${data.etag} onSaved=${saved} />`;
}
