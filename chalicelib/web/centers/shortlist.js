// Up to three centers to compare. Kept while the page is open and nobody signs out; nowhere else.
import { onSignOut } from "../identity/session.js";
import { signal } from "../platform/dom.js";

export const MAX_COMPARED = 3;

/** The centers as they were found, each with its distance from the ZIP code that was asked for. */
export const shortlist = signal(/** @type {any[]} */ ([]));
onSignOut(() => (shortlist.value = []));

export const isShortlisted = (id) => shortlist.value.some((center) => center.center_id === id);

/** Put a center on the list, or take it off. A fourth one is not taken. */
export function toggleShortlisted(center) {
  const rest = shortlist.value.filter((each) => each.center_id !== center.center_id);
  if (rest.length === shortlist.value.length && rest.length >= MAX_COMPARED) return;
  shortlist.value = rest.length < shortlist.value.length ? rest : [...rest, center];
}
