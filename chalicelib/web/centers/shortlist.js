// Up to three centers to compare. The list exists only in memory, until sign-out or until the page closes.
import { onSignOut } from "../identity/session.js";
import { signal } from "../platform/dom.js";

export const MAX_COMPARED = 3;

/** The centers as the search returned them, with the distance from the ZIP code of the search. */
export const shortlist = signal(/** @type {import("./centers_api.js").Center[]} */ ([]));
onSignOut(() => (shortlist.value = []));

/** @param {string} id */
export const isShortlisted = (id) => shortlist.value.some((center) => center.center_id === id);

/** Add a center to the list, or remove it. A fourth is not added. @param {import("./centers_api.js").Center} center */
export function toggleShortlisted(center) {
  const rest = shortlist.value.filter(({ center_id: id }) => id !== center.center_id);
  if (rest.length === shortlist.value.length && rest.length >= MAX_COMPARED) return;
  shortlist.value = rest.length < shortlist.value.length ? rest : [...rest, center];
}
