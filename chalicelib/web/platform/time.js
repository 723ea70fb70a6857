// Times always show their zone. Dates have no zone and never shift. All functions are pure, given the time.

const DAY_MS = 86_400_000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} zone
 * @param {Intl.DateTimeFormatOptions} options
 */
export function getFormat(zone, options) {
  const key = zone + JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.DateTimeFormat("en-US", { timeZone: zone, ...options });
  formats.set(key, format);
  return format;
}

/** "Nov 22, 2026, 10:00 AM EST". @param {string} instant @param {string} zone */
export const formatTime = (instant, zone) =>
  getFormat(zone, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(new Date(instant));

/** "1:41 PM CST". @param {string} instant @param {string} zone */
export const formatClock = (instant, zone) =>
  getFormat(zone, { hour: "numeric", minute: "2-digit", timeZoneName: "short" }).format(new Date(instant));

/** "Central Time". @param {string} zone */
export const formatZoneName = (zone) =>
  getFormat(zone, { timeZoneName: "longGeneric" })
    .formatToParts(0)
    .find(({ type }) => type === "timeZoneName")?.value ?? zone;

/** "Nov 22, 2026": the date of an instant in the calendar of a zone. @param {string} instant @param {string} zone */
export const formatDay = (instant, zone) =>
  getFormat(zone, { year: "numeric", month: "short", day: "numeric" }).format(new Date(instant));

/** "Nov 22, 2026" for a date without a time. @param {string | null | undefined} date */
export const formatDate = (date) => (date ? formatDay(`${date}T12:00:00Z`, "UTC") : "");

/** A planned time or day. @param {{starts_at?: string | null, on?: string | null}} day @param {string} zone */
export const formatPlanned = ({ starts_at: at, on }, zone) => (at ? formatTime(at, zone) : formatDate(on));

/** "Sun, Nov 22". @param {string} date */
export const formatWeekday = (date) =>
  getFormat("UTC", { weekday: "short", month: "short", day: "numeric" }).format(new Date(`${date}T12:00:00Z`));

/** The time since an instant in one unit: "12 minutes", "1 hour", "9 days". @param {string} instant @param {number} [now] */
export function formatElapsed(instant, now = Date.now()) {
  const minutes = Math.max(0, (now - Date.parse(instant)) / 60_000);
  const [size, unit] = minutes < 60 ? [1, "minute"] : minutes < 1440 ? [60, "hour"] : [1440, "day"];
  const count = Math.floor(minutes / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** The wall clock of a zone, in the format of <input type="datetime-local">. @param {number} now @param {string} zone */
export function formatWallClock(now, zone) {
  const parts = Object.fromEntries(
    getFormat(zone, {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    })
      .formatToParts(now)
      .map((part) => [part.type, part.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/** "Apr 2, 1961". If only the month and year, or only the year, is known: "Apr 1961", "1961". @param {string | null | undefined} date */
export function formatBirthDate(date) {
  if (!date || date.length === 10) return formatDate(date);
  if (date.length === 4) return date;
  return getFormat("UTC", { year: "numeric", month: "short" }).format(new Date(`${date}-15T12:00:00Z`));
}

/** "65", or "about 65" if not the whole date of birth is known. @param {string} birthDate @param {string} today */
export const formatAge = (birthDate, today) =>
  `${birthDate.length < 10 ? "about " : ""}${computeYears(birthDate, today)}`;

/** Whole years between two dates. @param {string} birthDate @param {string} today */
export function computeYears(birthDate, today) {
  const beforeBirthday = today.slice(5) >= birthDate.slice(5) ? 0 : 1;
  return Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4)) - beforeBirthday;
}

/** Days from one date to another. @param {string} from @param {string} to */
export const countDaysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
