// The signed-in member and the member's permissions. All of it is cleared at sign-out.
import { signal } from "../platform/dom.js";
import { callApi, onSignOut, session } from "./session.js";

/** The signed-in member, with organization and roles. */
export const me = signal(/** @type {any} */ (null));
export const unread = signal(0);

/** The organizations in which this person can work. */
export const memberships = signal(/** @type {any[]} */ ([]));

onSignOut(() => {
  me.value = null;
  unread.value = 0;
  memberships.value = [];
});

export const hasSeveral = () => memberships.value.length > 1;

/** Whether this person works in several organizations and has not chosen one yet. */
export const mustChoose = () => hasSeveral() && !session.value?.membership;

export async function loadMe() {
  const [{ data: member }, { data: list }] = await Promise.all([callApi("GET", "me"), callApi("GET", "memberships")]);
  memberships.value = list.items;
  me.value = member;
  unread.value = member.unread_notices;
}

/** Whether this member can write referrals: a member of a practice with access to patient records. */
export const canRefer = () => !!me.value?.may_refer;

/** Whether this member works with patients, and so can report events. */
export const hasClinicalAccess = () =>
  !!me.value?.roles.some((/** @type {string} */ role) => ["provider", "coordinator", "clinician"].includes(role));

/** Whether this member is an administrator. */
export const isAdmin = () => !!me.value?.roles.includes("admin");

/** Whether this member manages the system updates of a center. */
export const isCenterAdmin = () => me.value?.tenant.kind === "center" && isAdmin();

/** Whether this member works with patients of a center, and so publishes its consultation times. */
export const isCenterCare = () => me.value?.tenant.kind === "center" && hasClinicalAccess();

/** Whether this member operates the service. */
export const isOperator = () => me.value?.tenant.kind === "operator";

/** The page that a person sees first: what this person works with. */
export function getFirstView() {
  if (hasClinicalAccess()) return "worklist";
  if (isCenterAdmin()) return "connect";
  if (isOperator()) return "operations";
  return isAdmin() ? "members" : "account";
}

export const isPractice = () => me.value?.tenant.kind === "practice";

/** The time zone of this member's organization. @returns {string} */
export const getTimeZone = () => me.value?.tenant.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
