// The current view, from the part of the address after "#". An address has only opaque ids and
// names of views, never text that a person types or reads.
import { signal } from "./dom.js";

/** @typedef {{view: string, id?: string, step?: string, list?: string, query?: string}} Route */

// Published links and bookmarks use these addresses, so they stay.
/** @type {Record<string, string>} */
const VIEWS = {
  account: "account",
  audit: "audit",
  insights: "insights",
  members: "members",
  notices: "notices",
  preferences: "preferences",
  feed: "connect",
  operations: "operations",
  organizations: "organizations",
  catalogue: "products",
  resources: "resources",
  times: "times",
};

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const [first, second, third, fourth] = path.split("/");
  if (!first || first === "worklist") return { view: "worklist", list: second, query };
  if (first === "new") return { view: "form", step: second || "patient" };
  if (first === "referrals" && second) {
    if (third === "handback" || third === "card") return { view: third, id: second };
    if (third === "changes" || third === "consultation") return { view: third, id: second };
    if (third === "notices") return { view: "notice_history", id: second };
    return third === "edit"
      ? { view: "form", id: second, step: fourth || "patient" }
      : { view: "referral", id: second };
  }
  if (first === "screen") return { view: "eligibility_check", id: second };
  if (first === "centers") return { view: second === "compare" ? second : first };
  // An email links to a notice by its id. The page opens the notice's referral.
  return { view: VIEWS[first] ?? "not_found", id: second };
}

export const route = signal(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** @param {string} path "#/…" */
export function navigate(path) {
  location.hash = path;
}

/** Change the address without a new entry in the browser's history. @param {string} path */
export function replaceWith(path) {
  history.replaceState(null, "", path);
  route.value = parseRoute(path);
}

/** Keep the position on the page with its entry in the browser's history. @param {number} top */
export const keepScroll = (top) => history.replaceState({ top }, "");

/** The position at which a person left this entry of the history; 0 if it is new. @returns {number} */
export const readKeptScroll = () => history.state?.top ?? 0;

/** @param {string} id */
export const buildReferralHref = (id) => `#/referrals/${id}`;

/** @param {string | null | undefined} id @param {string} step */
export const buildFormHref = (id, step) => (id ? `#/referrals/${id}/edit/${step}` : `#/new/${step}`);

/** @param {string} id @param {"handback" | "card" | "changes" | "consultation" | "notices"} page */
export const buildPageHref = (id, page) => `#/referrals/${id}/${page}`;
