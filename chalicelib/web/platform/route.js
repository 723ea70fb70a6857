// Where we are, in the part of the address after "#". It carries opaque ids and names of
// views only: what a person types or reads never stands in an address.
import { signal } from "./dom.js";

/** @typedef {{view: string, id?: string, step?: string, list?: string}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [first, second, third, fourth] = hash.replace(/^#\/?/, "").split("/");
  if (!first || first === "worklist") return { view: "worklist", list: second || "all" };
  if (first === "new") return { view: "form", step: second || "patient" };
  if (first === "referrals" && second) {
    if (third === "handback" || third === "card") return { view: third, id: second };
    if (third === "notices") return { view: "notice_history", id: second };
    return third === "edit"
      ? { view: "form", id: second, step: fourth || "patient" }
      : { view: "referral", id: second };
  }
  if (first === "screen") return { view: first, id: second };
  if (first === "centers") return { view: second === "compare" ? second : first };
  if (["notices", "preferences", "feed", "catalogue", "resources"].includes(first)) return { view: first };
  return { view: "not_found" };
}

export const route = signal(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** @param {string} path "#/…" */
export function navigate(path) {
  location.hash = path;
}

/** Change the address without leaving a step behind for the Back button. @param {string} path */
export function replaceWith(path) {
  history.replaceState(null, "", path);
  route.value = parseRoute(path);
}

/** @param {string} id */
export const buildReferralHref = (id) => `#/referrals/${id}`;

/** @param {string | null | undefined} id @param {string} step */
export const buildFormHref = (id, step) => (id ? `#/referrals/${id}/edit/${step}` : `#/new/${step}`);

/** @param {string} id @param {"handback" | "card" | "notices"} page */
export const buildPageHref = (id, page) => `#/referrals/${id}/${page}`;
