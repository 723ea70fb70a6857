// The list as a file for spreadsheet programs. It loads when the first list is exported.
import { callApi } from "../identity/session.js";
import { saveFile } from "../platform/save_file.js";

// Reading a response as text drops its byte order mark, without which spreadsheet programs misread names.
const BYTE_ORDER_MARK = "\ufeff";

/** Save all referrals of a list, with the same view, filters, search and order. @param {Record<string, string | string[]>} query */
export async function exportReferrals(query) {
  const { data } = await callApi("GET", "referrals.csv", { query, plain: true });
  saveFile(new Blob([BYTE_ORDER_MARK, data], { type: "text/csv" }), "referrals.csv");
}
