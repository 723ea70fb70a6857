// Signs out a page that nobody uses, after a warning. Only a person's own doing counts as
// use: polling and timers do not, and a machine that slept is measured by the clock.
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { Dialog } from "../platform/ui.js";
import { isPastMaxSession, signOut } from "./session.js";

const WARN_BEFORE_MS = 120_000;
const ACTIVITY_EVENTS = ["pointerdown", "keydown", "wheel", "touchstart"];

export function IdleWatch({ minutes }) {
  const [left, setLeft] = useState(/** @type {any} */ (null));
  const last = useRef(Date.now());

  useEffect(() => {
    const limit = minutes * 60_000;
    const warnBefore = Math.min(WARN_BEFORE_MS, limit / 2);
    const remaining = () => last.current + limit - Date.now();
    const check = () => {
      if (remaining() <= 0) return signOut("idle");
      if (isPastMaxSession()) return signOut("expired");
      setLeft(remaining() <= warnBefore ? Math.ceil(remaining() / 1000) : null);
    };
    // Once the warning stands, only its own button says that somebody is there.
    const noteActivity = () => {
      if (remaining() > warnBefore) last.current = Date.now();
    };
    const timer = setInterval(check, 1000);
    for (const sign of ACTIVITY_EVENTS) addEventListener(sign, noteActivity, { passive: true, capture: true });
    document.addEventListener("visibilitychange", check);
    return () => {
      clearInterval(timer);
      for (const sign of ACTIVITY_EVENTS) removeEventListener(sign, noteActivity, { capture: true });
      document.removeEventListener("visibilitychange", check);
    };
  }, [minutes]);

  if (left === null) return null;
  const stay = () => {
    last.current = Date.now();
    setLeft(null);
  };
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  return html`<${Dialog} title="Are you still there?" role="alertdialog" onClose=${stay}>
    <p>
      To protect patients you will be signed out in <span class="tabular-numbers" role="timer">${clock}</span>.
      What is not saved by then is lost.
    </p>
    <div class="buttons">
      <button type="button" class="primary" onClick=${stay}>Stay signed in</button>
      <button type="button" onClick=${() => signOut()}>Sign out now</button>
    </div>
  <//>`;
}
