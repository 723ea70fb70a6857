// The session. Its tokens are only in sessionStorage, so they end with the last tab. A new tab gets them from another.
import { effect, signal } from "../platform/dom.js";
import { ApiProblem, sendRequest } from "../platform/http.js";

const KEY = "cart-session";
const MAX_SESSION_MS = 12 * 3_600_000;
const RENEW_BEFORE_MS = 60_000;
const LAST_SAVE_MS = 5_000;
const OTHER_TABS_SAVE_MS = 2_000;
const SHARE_EVERY_MS = 1_000;

/**
 * @typedef {{access: string, refresh: string, until: number, since: number, membership?: string}} Session
 * @typedef {"signed_out" | "idle" | "expired" | null} Ending
 */

/** @type {{value: Session | null}} */
export const session = signal(readStoredSession());

/** @type {(() => void)[]} */
const signOutHandlers = [];

/** Register a function that clears data when the session ends. @param {() => void} clear */
export const onSignOut = (clear) => signOutHandlers.push(clear);

/** @type {(() => Promise<unknown>)[]} */
const lastSaves = [];

/** Register a function that saves entries before the user is signed out. @param {() => Promise<unknown>} save */
export const beforeSignOut = (save) => lastSaves.push(save);

/** Whether entries of a form were not saved when the session ended. A function of `onSignOut` sets it. */
export const hasLostEntries = signal(false);

effect(() => {
  if (session.value) return;
  for (const clear of signOutHandlers) clear();
});

/** Why the last session ended: a name, or a sentence. @type {{value: Ending | string}} */
export const endReason = signal(/** @type {any} */ (null));

function readStoredSession() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY) || "null");
    return stored && Date.now() < stored.since + MAX_SESSION_MS ? stored : null;
  } catch {
    return null;
  }
}

/** @param {Session} value */
export function storeSession(value) {
  sessionStorage.setItem(KEY, JSON.stringify(value));
  session.value = value;
}

/**
 * @param {string} email
 * @param {string} password
 * @returns {Promise<{challenge: string, session: string, secret?: string, otpauth_url?: string} | null>} the next
 *   challenge, if any
 */
export async function signIn(email, password) {
  return startSession((await sendRequest("POST", "sessions", { body: { email, password } })).data);
}

/**
 * @param {{email: string, session: string, challenge: string, new_password?: string, code?: string}} body
 */
export async function answerChallenge(body) {
  return startSession((await sendRequest("POST", "sessions/challenge", { body })).data);
}

/** @param {any} response */
function startSession(response) {
  if (response.challenge) return response;
  const now = Date.now();
  endReason.value = null;
  hasLostEntries.value = false;
  storeSession({
    access: response.access_token,
    refresh: response.refresh_token,
    until: now + response.expires_in * 1000,
    since: now,
  });
  tabChannel.postMessage({ type: "session", session: session.value });
  return null;
}

/** End the session in this browser, even if the server does not respond. @param {Ending | string} why */
function endSession(why) {
  sessionStorage.removeItem(KEY);
  endReason.value = why;
  session.value = null;
}

// What the tabs of this browser tell each other. Only pages of this origin can listen.
const tabChannel = new BroadcastChannel(KEY);
let sharedAt = 0;

/** When the user was last active in another tab. */
export const activityElsewhere = { at: 0 };

tabChannel.onmessage = ({ data }) => {
  if (data.type === "question" && session.value && !isPastMaxSession()) {
    tabChannel.postMessage({ type: "session", session: session.value });
  }
  if (data.type === "session" && !session.value) {
    endReason.value = null;
    storeSession(data.session);
  }
  if (data.type === "activity") activityElsewhere.at = Date.now();
  if (data.type === "sign-out" && session.value) endSession("signed_out");
};
if (!session.value) tabChannel.postMessage({ type: "question" });

/** End the session in every tab, as the server has ended it. @param {Ending | string} why */
export function endSessionInAllTabs(why) {
  endSession(why);
  tabChannel.postMessage({ type: "sign-out" });
}

/** Tell the other tabs that the user is active, so that they do not sign out. */
export function shareActivity() {
  if (Date.now() < sharedAt + SHARE_EVERY_MS) return;
  sharedAt = Date.now();
  tabChannel.postMessage({ type: "activity" });
}

/** @type {Promise<unknown> | null} */
let lastSave = null;

export async function saveEntries() {
  // A server that does not respond cannot keep the user signed in.
  const limit = new Promise((resolve) => setTimeout(resolve, LAST_SAVE_MS));
  lastSave ??= Promise.race([limit, Promise.allSettled(lastSaves.map((save) => save()))]);
  await lastSave;
  lastSave = null;
}

/** @param {Ending} [why] */
export async function signOut(why = "signed_out") {
  await saveEntries();
  const old = session.value;
  if (why === "signed_out") {
    endSessionInAllTabs(why);
  } else {
    endSession(why);
    // The server ends the session of every tab. Those that were idle too save their entries first.
    await new Promise((resolve) => setTimeout(resolve, OTHER_TABS_SAVE_MS));
  }
  // This browser is already signed out, so a failure on the server does not block the user. It would also end the
  // session of someone who has signed in again.
  if (old && !session.value) await revoke(old).catch(() => {});
}

/** @param {Session} old */
async function revoke(old) {
  // After sleep, the access token may be expired, and an expired token cannot revoke the session.
  const token = Date.now() < old.until ? old.access : (await refreshTokens(old)).access_token;
  await sendRequest("DELETE", "sessions", { token });
}

/** @param {Session} old */
const refreshTokens = async (old) =>
  (await sendRequest("POST", "sessions/refresh", { body: { refresh_token: old.refresh } })).data;

/** Whether the session has reached its maximum duration. */
export const isPastMaxSession = () => !!session.value && Date.now() > session.value.since + MAX_SESSION_MS;

/** @type {Promise<void> | null} */
let renewal = null;

async function renew() {
  const old = session.value;
  if (!old) return;
  const { access_token: access, expires_in } = await refreshTokens(old);
  if (session.value !== old) return;
  storeSession({ ...old, access, until: Date.now() + expires_in * 1000 });
}

function renewOnce() {
  renewal ??= renew().finally(() => (renewal = null));
  return renewal;
}

/**
 * Send a request as the signed-in member. Renews the token if it is about to expire or is rejected.
 *
 * @param {string} method
 * @param {string} path
 * @param {import("../platform/http.js").Options} [options]
 */
export async function callApi(method, path, options = {}) {
  const send = () =>
    sendRequest(method, path, { ...options, token: session.value?.access, membership: session.value?.membership });
  try {
    if (session.value && Date.now() > session.value.until - RENEW_BEFORE_MS) await renewOnce();
    return await send().catch(async (problem) => {
      if (problem.status !== 401 || !session.value) throw problem;
      await renewOnce();
      return send();
    });
  } catch (problem) {
    if (problem instanceof ApiProblem && problem.status === 401 && session.value) endSession("expired");
    throw problem;
  }
}
