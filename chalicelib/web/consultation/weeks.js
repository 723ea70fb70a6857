// Two weeks of consultation times: which days, the buttons to other weeks, and the times by day.
import { html, useState } from "../platform/dom.js";
import { formatWallClock } from "../platform/time.js";

const DAYS_SHOWN = 14;

/** A date some days after another. @param {string} date @param {number} days */
const addDays = (date, days) =>
  new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/** Group times by the reader's own day. @param {any[]} slots @param {string} zone */
export function groupByDay(slots, zone) {
  /** @type {Map<string, any[]>} */
  const days = new Map();
  for (const slot of slots) {
    const day = formatWallClock(Date.parse(slot.starts_at), zone).slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), slot]);
  }
  return [...days];
}

/** Two weeks from today at the center, or later ones. @param {string} zone */
export function useTwoWeeks(zone) {
  const today = formatWallClock(Date.now(), zone).slice(0, 10);
  const [first, setFirst] = useState(today);
  /** @param {number} steps */
  const move = (steps) => setFirst([addDays(first, steps * DAYS_SHOWN), today].sort()[1]);
  return { first, last: addDays(first, DAYS_SHOWN - 1), isFirst: first <= today, move };
}

export function WeekButtons({ weeks }) {
  return html`<div class="buttons">
    <button type="button" disabled=${weeks.isFirst} onClick=${() => weeks.move(-1)}>Earlier</button>
    <button type="button" onClick=${() => weeks.move(1)}>Later</button>
  </div>`;
}
