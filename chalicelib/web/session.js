// @ts-check
// Who is signed in. The tokens live in sessionStorage and nowhere else: they end with the tab.
import { exchange } from "./http.js";
import { signal } from "./dom.js";

const KEY = "cart-session";
const LONGEST_MS = 12 * 3_600_000;
const RENEW_BEFORE_MS = 60_000;

/**
 * @typedef {{access: string, refresh: string, until: number, since: number}} Session
 * @typedef {"signed_out" | "idle" | "expired" | null} Ending
 */

/** @type {import("./signals.js").Signal<Session | null>} */
export const session = signal(stored());
/** Why the last session ended. @type {import("./signals.js").Signal<Ending>} */
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

/** @param {any} granted */
function begin(granted) {
  if (granted.challenge) return granted;
  const now = Date.now();
  ending.value = null;
  keep({
    access: granted.access_token,
    refresh: granted.refresh_token,
    until: now + granted.expires_in * 1000,
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

/** @param {Ending} [why] */
export async function signOut(why = "signed_out") {
  const token = session.value?.access;
  end(why);
  // Signed out on this screen already; the server's part may fail without anyone being stuck.
  if (token) await exchange("DELETE", "sessions", { token }).catch(() => {});
}

/** Whether the session has lasted as long as any session may. */
export const isOverlong = () => !!session.value && Date.now() > session.value.since + LONGEST_MS;

/** @type {Promise<void> | null} */
let renewal = null;

async function renew() {
  const old = session.value;
  if (!old) return;
  const { data } = await exchange("POST", "sessions/refresh", { body: { refresh_token: old.refresh } });
  if (session.value !== old) return;
  keep({ ...old, access: data.access_token, until: Date.now() + data.expires_in * 1000 });
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
    if (refusal.status === 401 && session.value) end("expired");
    throw refusal;
  }
}
