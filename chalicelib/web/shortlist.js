// Up to three centers to compare. Kept while the page is open and nobody signs out; nowhere else.
import { signal } from "./dom.js";
import { atSignOut } from "./state.js";

export const MOST = 3;

/** The centers as they were found, each with its distance from the ZIP code that was asked for. */
export const shortlist = signal([]);
atSignOut(() => (shortlist.value = []));

export const isListed = (id) => shortlist.value.some((center) => center.center_id === id);

/** Put a center on the list, or take it off. A fourth one is not taken. */
export function toggle(center) {
  const rest = shortlist.value.filter((each) => each.center_id !== center.center_id);
  if (rest.length === shortlist.value.length && rest.length >= MOST) return;
  shortlist.value = rest.length < shortlist.value.length ? rest : [...rest, center];
}
