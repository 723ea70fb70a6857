// The monitoring window after infusion. Its dates follow the center's calendar.

import { describeNoticeState } from "../notices/notice_labels.js";
import { html } from "../platform/dom.js";
import { LabelWarnings } from "../platform/label_warnings.js";
import { getLabel } from "../platform/labels.js";
import { buildPageHref } from "../platform/route.js";
import {
  countDaysBetween,
  formatDate,
  formatDay,
  formatWallClock,
  formatWeekday,
  formatZoneName,
} from "../platform/time.js";
import { OpenAdverseEvents } from "./care_banners.js";

/** The window as a line with its milestones and today. The list below has the same information as text. */
function WindowTrack({ milestones, today }) {
  const last = Math.max(1, ...milestones.map((milestone) => milestone.day));
  const x = (day) => 8 + (Math.min(Math.max(day, 0), last) / last) * 584;
  return html`<svg class="track" viewBox="0 0 600 20" aria-hidden="true">
    <path class="rail" d="M8 10H592" />
    ${today >= 0 && html`<path class="past" d="M8 10H${x(today)}" />`}
    ${milestones.map(({ day }) => html`<circle class=${day <= today ? "past" : ""} cx=${x(day)} cy="10" r="4.5" />`)}
    ${today >= 0 && today <= last && html`<circle class="today" cx=${x(today)} cy="10" r="7" />`}
  </svg>`;
}

function computeCurrentDay(window) {
  return countDaysBetween(window.infused_on, formatWallClock(Date.now(), window.time_zone).slice(0, 10));
}

/** @param {boolean} ended The referral ended, so nothing lies ahead. */
function describeDay(day, today, ended) {
  if (ended) return "";
  if (day === today) return "today";
  if (day === today + 1) return "tomorrow";
  return day < today ? "past" : `in ${day - today} days`;
}

export function MonitoringWindow({ window, referral }) {
  const center = referral.center.name;
  const today = computeCurrentDay(window);
  const ended = window.ended_on !== null;
  const running = !ended && today >= 0 && today <= countDaysBetween(window.infused_on, window.ends_on);
  return html`<section class="card" aria-labelledby="window">
    <div class="card-head">
      <h2 id="window">Monitoring window</h2>
      <span class=${running ? "chip is-accent" : "chip"}>${running ? `Day ${today}` : today < 0 && !ended ? "Not started" : "Ended"}</span>
    </div>
    <p class="small-text tabular-numbers">
      ${formatDate(window.infused_on)} through ${formatDate(window.ends_on)}. ${ended && `The referral ended on ${formatDate(window.ended_on)}. `}Dates follow ${center}'s calendar (${formatZoneName(window.time_zone)}). Day 0 is the day of infusion.
    </p>
    ${
      window.product_named
        ? html`<p class="small-text">Label periods of ${window.product_name}.</p>`
        : html`<p class="banner is-warning">Product not named. Until the center names it, the dates use the longest period of any product's label.</p>`
    }
    ${
      window.open_adverse_events.length > 0 &&
      html`<h3>Open adverse events</h3><${OpenAdverseEvents} events=${window.open_adverse_events} referral=${referral} />`
    }
    ${!ended && html`<${WindowTrack} milestones=${window.milestones} today=${today} />`}
    <ol class="milestones">
      ${window.milestones.map(
        ({
          day,
          on,
          kind,
          label,
        }) => html`<li class=${ended || day < today ? "passed" : day === today ? "is-current" : ""}>
          <span class="tabular-numbers">Day ${day}</span><time class="tabular-numbers" datetime=${on}>${formatWeekday(on)}</time>
          <span>${label || getLabel(kind)}</span><span class="small-text tabular-numbers">${describeDay(day, today, ended)}</span>
        </li>`,
      )}
    </ol>
    ${window.late_effects.map((text) => html`<p class="banner is-warning">${text}</p>`)}
    ${window.label && html`<${LabelWarnings} label=${window.label} />`}
    ${
      window.extensions.length > 0 &&
      html`<ul class="extensions small-text tabular-numbers">
      ${window.extensions.map(
        ({ ends_on: on, told_at: reportedAt, reason_code: reason }) =>
          html`<li>${center} extended monitoring. New return date: ${formatDate(on)} (reported ${formatDay(reportedAt, window.time_zone)}${reason && `, ${getLabel(reason).toLowerCase()}`}).</li>`,
      )}
    </ul>`
    }
    ${
      window.notices.length > 0 &&
      html`<details>
      <summary>Notices for this monitoring window (${window.notices.length})</summary>
      <ul class="scheduled-notices">
        ${window.notices.map(
          ({ title, due_on: on, state, why }) => html`<li>
            <span>${title}</span><time class="tabular-numbers" datetime=${on}>${formatDate(on)}</time><span class="chip">${describeNoticeState({ state, why })}</span>
          </li>`,
        )}
      </ul>
      <p><a href=${buildPageHref(referral.referral_id, "notices")}>See who was notified and email status</a></p>
    </details>`
    }
  </section>`;
}
