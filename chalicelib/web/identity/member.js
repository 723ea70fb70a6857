// The signed-in member and what the member may do. Everything here is forgotten at sign-out.
import { signal } from "../platform/dom.js";
import { callApi, onSignOut } from "./session.js";

/** The signed-in member, with tenant and roles. */
export const me = signal(/** @type {any} */ (null));
export const unread = signal(0);

onSignOut(() => {
  me.value = null;
  unread.value = 0;
});

export async function loadMe() {
  const member = (await callApi("GET", "me")).data;
  me.value = member;
  unread.value = member.unread_notices;
}

/** Whether this member may write referrals: somebody of a practice who cares for patients. */
export const canRefer = () => !!me.value?.may_refer;

/** Whether this member works with patients, and so may report what happened to one. */
export const hasClinicalAccess = () =>
  !!me.value?.roles.some((/** @type {string} */ role) => ["provider", "coordinator", "clinician"].includes(role));

/** Whether this member looks after what a center's system sends. */
export const isCenterAdmin = () => me.value?.tenant.kind === "center" && me.value.roles.includes("admin");

export const isPractice = () => me.value?.tenant.kind === "practice";

/** The zone in which this member's organization reads the clock. @returns {string} */
export const getTimeZone = () => me.value?.tenant.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
