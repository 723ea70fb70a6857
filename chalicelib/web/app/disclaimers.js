// The two statements and the emergency note. The dashboard shows no page before they are loaded.
import { signal } from "../platform/dom.js";
import { sendRequest } from "../platform/http.js";

export const disclaimers = signal(/** @type {any} */ (null));

export async function loadDisclaimers() {
  disclaimers.value = (await sendRequest("GET", "statements")).data;
}
