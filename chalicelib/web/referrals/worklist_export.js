// The list as a file for spreadsheet programs. It loads when a person wants to export the first list.
import { callApi } from "../identity/session.js";
import { html, useState } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { saveFile } from "../platform/save_file.js";
import { announce, Dialog, Problem } from "../platform/ui.js";

const XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
// Reading a response as text drops its byte order mark, without which spreadsheet programs misread names.
const BYTE_ORDER_MARK = "\ufeff";

/** @typedef {Record<string, any>} Query */

/** @param {Query} query */
async function saveWorkbook(query) {
  const { data } = await callApi("GET", "referrals.xlsx", { query, file: XLSX_TYPE });
  saveFile(data, "referrals.xlsx");
}

/** @param {Query} query */
async function saveCsv(query) {
  const { data } = await callApi("GET", "referrals.csv", { query, plain: true });
  saveFile(new Blob([BYTE_ORDER_MARK, data], { type: "text/csv" }), "referrals.csv");
}

/**
 * The dialog that saves all referrals of a list, with the same view, filters, search and order.
 * @param {{query: Query, total: number, onClose: () => void}} properties
 */
export function ExportDialog({ query, total, onClose }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const save = async (/** @type {(query: Query) => Promise<void>} */ saveAs) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await saveAs(query);
      announce("Export downloaded");
      onClose();
    } catch (failed) {
      setProblem(failed);
      setBusy(false);
    }
  };
  return html`<${Dialog} title="Export ${formatCount(total, "referral")}" onClose=${onClose}>
    <p>The file has names, dates of birth and record numbers. Keep it as safely as a chart. Each export is recorded in the audit trail.</p>
    ${problem && html`<${Problem} problem=${problem} />`}
    <div class="buttons">
      <button type="button" class="primary" aria-disabled=${busy} onClick=${() => save(saveWorkbook)}>Excel workbook</button>
      <button type="button" aria-disabled=${busy} onClick=${() => save(saveCsv)}>CSV file</button>
      <button type="button" class="ghost-button" onClick=${onClose}>Cancel</button>
    </div>
  <//>`;
}
