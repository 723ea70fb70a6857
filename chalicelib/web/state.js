// @ts-check
// What the whole page knows. Everything about the member is forgotten when the session ends.
import * as api from "./api.js";
import { effect, signal } from "./dom.js";
import { session } from "./session.js";

/** The two statements and the emergency note. No view is shown before they are here. */
export const disclaimers = signal(/** @type {any} */ (null));

/** The signed-in member, with tenant and roles. */
export const me = signal(/** @type {any} */ (null));
export const unread = signal(0);

/** @type {(() => void)[]} */
const signOutHandlers = [];

/** Register what must be forgotten at sign-out. @param {() => void} forget */
export const onSignOut = (forget) => signOutHandlers.push(forget);

effect(() => {
  if (session.value) return;
  me.value = null;
  unread.value = 0;
  for (const forget of signOutHandlers) forget();
});

export async function loadMe() {
  const member = await api.getMe();
  me.value = member;
  unread.value = member.unread_notices;
}

/** Whether this member may write referrals: somebody of a practice who cares for patients. */
export const canRefer = () => !!me.value?.may_refer;

/** Whether this member works with patients, and so may report what happened to one. */
export const hasClinicalAccess = () => !!me.value?.roles.some((/** @type {string} */ role) => ["provider", "coordinator", "clinician"].includes(role));

/** Whether this member looks after what a center's system sends. */
export const isCenterAdmin = () => me.value?.tenant.kind === "center" && me.value.roles.includes("admin");

export const isPractice = () => me.value?.tenant.kind === "practice";

/** The zone in which this member's organization reads the clock. @returns {string} */
export const getTimeZone = () => me.value?.tenant.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
