// Signs out an idle page after a warning. Only a person's own input counts as activity, not
// polling and timers, in any tab. Idle time is measured by the clock, so it includes time asleep.
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { Dialog } from "../platform/ui.js";
import { activityElsewhere, isPastMaxSession, shareActivity, signOut } from "./session.js";

const WARN_BEFORE_MS = 120_000;
const ACTIVITY_EVENTS = ["pointerdown", "keydown", "wheel", "touchstart"];

/** @param {{minutes: number}} properties */
export function IdleWatch({ minutes }) {
  const [left, setLeft] = useState(/** @type {any} */ (null));
  const lastActivity = useRef(Date.now());

  useEffect(() => {
    const limit = minutes * 60_000;
    const warnBefore = Math.min(WARN_BEFORE_MS, limit / 2);
    const remaining = () => Math.max(lastActivity.current, activityElsewhere.at) + limit - Date.now();
    const check = () => {
      if (remaining() <= 0) return signOut("idle");
      if (isPastMaxSession()) return signOut("expired");
      setLeft(remaining() <= warnBefore ? Math.ceil(remaining() / 1000) : null);
    };
    // While the warning is open, only its own button counts as activity.
    const noteActivity = () => {
      if (remaining() <= warnBefore) return;
      lastActivity.current = Date.now();
      shareActivity();
    };
    const timer = setInterval(check, 1000);
    for (const type of ACTIVITY_EVENTS) addEventListener(type, noteActivity, { passive: true, capture: true });
    document.addEventListener("visibilitychange", check);
    return () => {
      clearInterval(timer);
      for (const type of ACTIVITY_EVENTS) removeEventListener(type, noteActivity, { capture: true });
      document.removeEventListener("visibilitychange", check);
    };
  }, [minutes]);

  if (left === null) return null;
  const stay = () => {
    lastActivity.current = Date.now();
    shareActivity();
    setLeft(null);
  };
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  return html`<${Dialog} title="Are you still there?" role="alertdialog" onClose=${stay}>
    <p>
      To protect patient information, you will be signed out in <span class="tabular-numbers" role="timer">${clock}</span>.
      Drafts of referrals are saved as you type. Save other entries now, or they will be lost.
    </p>
    <div class="buttons">
      <button type="button" class="primary" onClick=${stay}>Stay signed in</button>
      <button type="button" onClick=${() => signOut()}>Sign out now</button>
    </div>
  <//>`;
}
