// The timestamps that the dashboard sends.
import { formatWallClock, getFormat } from "./time.js";

const DAY_MS = 86_400_000;

/** "-05:00": the UTC offset of a zone at an instant. @param {number} instant @param {string} zone */
function computeOffset(instant, zone) {
  const name = getFormat(zone, { timeZoneName: "longOffset" })
    .formatToParts(instant)
    .find((part) => part.type === "timeZoneName")?.value;
  return name === "GMT" ? "+00:00" : (name || "").replace("GMT", "");
}

/**
 * An RFC 3339 timestamp from the wall clock of a zone. A time that occurs twice, because the clock
 * is turned back, means the earlier one.
 *
 * @param {string} local "2026-11-22T10:00"
 * @param {string} zone
 */
export function toTimestamp(local, zone) {
  const guess = Date.parse(`${local}:00Z`);
  const candidates = [guess - DAY_MS, guess, guess + DAY_MS].map(
    (around) => `${local}:00${computeOffset(around, zone)}`,
  );
  const match = candidates.find((text) => formatWallClock(Date.parse(text), zone) === local);
  return match || candidates[1];
}

/**
 * The current time, but always after the last known event. Clocks differ between machines, and an
 * event that seems older than the current stage would only be saved in the history.
 *
 * @param {string} since when the referral entered the current stage
 */
export const getNowAfter = (since) => new Date(Math.max(Date.now(), Date.parse(since) + 1)).toISOString();
