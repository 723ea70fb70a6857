// @ts-check
// Who is signed in. The tokens live in sessionStorage and nowhere else: they end with the tab.
import { exchange, Refusal } from "./http.js";
import { signal } from "./dom.js";

const KEY = "cart-session";
const LONGEST_MS = 12 * 3_600_000;
const RENEW_BEFORE_MS = 60_000;

/**
 * @typedef {{access: string, refresh: string, until: number, since: number}} Session
 * @typedef {"signed_out" | "idle" | "expired" | null} Ending
 */

/** @type {{value: Session | null}} */
export const session = signal(stored());
/** Why the last session ended. @type {{value: Ending}} */
export const ending = signal(null);

function stored() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) || "null");
    return kept && Date.now() < kept.since + LONGEST_MS ? kept : null;
  } catch {
    return null;
  }
}

/** @param {Session} value */
function keep(value) {
  sessionStorage.setItem(KEY, JSON.stringify(value));
  session.value = value;
}

/**
 * @param {string} email
 * @param {string} password
 * @returns {Promise<{challenge: string, session: string} | null>} what is still asked for
 */
export async function signIn(email, password) {
  return begin((await exchange("POST", "sessions", { body: { email, password } })).data);
}

/**
 * @param {{email: string, session: string, challenge: string, new_password?: string, code?: string}} body
 */
export async function answerChallenge(body) {
  return begin((await exchange("POST", "sessions/challenge", { body })).data);
}

/** @param {any} answer */
function begin(answer) {
  if (answer.challenge) return answer;
  const now = Date.now();
  ending.value = null;
  keep({
    access: answer.access_token,
    refresh: answer.refresh_token,
    until: now + answer.expires_in * 1000,
    since: now,
  });
  return null;
}

/** Forget the session here, whatever the server says. @param {Ending} why */
export function end(why) {
  sessionStorage.removeItem(KEY);
  ending.value = why;
  session.value = null;
}

// Who signs out in one tab is signed out in all tabs of this browser.
const tabs = new BroadcastChannel(KEY);
tabs.onmessage = () => session.value && end("signed_out");

/** @param {Ending} [why] */
export async function signOut(why = "signed_out") {
  const old = session.value;
  end(why);
  if (why === "signed_out") tabs.postMessage(why);
  // Signed out on this screen already; the server's part may fail without anyone being stuck.
  if (old) await revoke(old).catch(() => {});
}

/** @param {Session} old */
async function revoke(old) {
  // A machine that slept wakes with an expired token, which could revoke nothing.
  const token = Date.now() < old.until ? old.access : (await granted(old)).access_token;
  await exchange("DELETE", "sessions", { token });
}

/** @param {Session} old */
const granted = async (old) =>
  (await exchange("POST", "sessions/refresh", { body: { refresh_token: old.refresh } })).data;

/** Whether the session has lasted as long as any session may. */
export const isOverlong = () => !!session.value && Date.now() > session.value.since + LONGEST_MS;

/** @type {Promise<void> | null} */
let renewal = null;

async function renew() {
  const old = session.value;
  if (!old) return;
  const { access_token: access, expires_in } = await granted(old);
  if (session.value !== old) return;
  keep({ ...old, access, until: Date.now() + expires_in * 1000 });
}

function renewOnce() {
  renewal ??= renew().finally(() => (renewal = null));
  return renewal;
}

/**
 * One exchange as the signed-in member, renewing the token when it is due or refused.
 *
 * @param {string} method
 * @param {string} path
 * @param {import("./http.js").Options} [options]
 */
export async function call(method, path, options = {}) {
  const send = () => exchange(method, path, { ...options, token: session.value?.access });
  try {
    if (session.value && Date.now() > session.value.until - RENEW_BEFORE_MS) await renewOnce();
    return await send().catch(async (refusal) => {
      if (refusal.status !== 401 || !session.value) throw refusal;
      await renewOnce();
      return send();
    });
  } catch (refusal) {
    if (refusal instanceof Refusal && refusal.status === 401 && session.value) end("expired");
    throw refusal;
  }
}
