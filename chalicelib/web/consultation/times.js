// Consultation times, for a center's team: weekly patterns, single times, and who booked which.
import { getTimeZone, me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { buildReferralHref } from "../platform/route.js";
import { formatClock, formatDate, formatTime, formatWeekday } from "../platform/time.js";
import { announce, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { listPatterns, listSlots, removePattern, removeSlot } from "./consultation_api.js";
import { MODES, WEEKDAYS } from "./consultation_labels.js";
import { PatternDialog, SlotDialog } from "./times_dialogs.js";
import { groupByDay, useTwoWeeks, WeekButtons } from "./weeks.js";

const NO_PROBLEM = /** @type {any} */ (null);

const listLocal = (starts) => starts.map(({ on, at }) => `${formatDate(on)}, ${at}`).join("; ");

function Bookings({ slot }) {
  return slot.bookings.map(
    ({ referral_id: id, alias }) => html`<a key=${id} href=${buildReferralHref(id)}>${alias}</a> `,
  );
}

const describeFurther = ({ free_slots: free, extra, days_off: daysOff }) =>
  [
    `${formatCount(free, "free time")} in the next 12 weeks.`,
    extra.length > 0 && `Extra times: ${listLocal(extra)}.`,
    daysOff.length > 0 && `Days off: ${daysOff.map((day) => formatDate(day)).join("; ")}.`,
  ]
    .filter(Boolean)
    .join(" ");

function PatternRow({ pattern, edit, remove, busy }) {
  const days = WEEKDAYS.filter(([day]) => pattern.weekdays.includes(day)).map(([, label]) => label);
  return html`<li class="stack">
    <p><strong>${pattern.removed ? "Removed: " : ""}${days.join(", ") || "Single days"} ${pattern.starts.join(", ")}</strong>
      <span class="subtext">${[MODES[pattern.mode], `${pattern.minutes} minutes`, formatCount(pattern.capacity, "patient"), pattern.place, pattern.ends_on && `until ${formatDate(pattern.ends_on)}`].filter(Boolean).join(" · ")}</span></p>
    ${!pattern.removed && html`<p class="small-text">${describeFurther(pattern)}</p>`}
    ${pattern.skipped.length > 0 && html`<p class="banner is-warning">These times do not exist, because the clocks change: ${listLocal(pattern.skipped)}.</p>`}
    ${
      pattern.to_review.length > 0 &&
      html`<div class="banner is-warning"><p>These booked times are no longer in your weekly times. Keep them, or move or cancel them on the referral's page:</p>
      <ul>${pattern.to_review.map((slot) => html`<li key=${slot.slot_id}>${formatTime(slot.starts_at, getTimeZone())}: <${Bookings} slot=${slot} /></li>`)}</ul></div>`
    }
    ${
      !pattern.removed &&
      html`<div class="buttons">
      <button type="button" onClick=${() => edit(pattern)} aria-label="Change ${days.join(", ")} ${pattern.starts.join(", ")}">Change</button>
      <button type="button" aria-disabled=${busy} onClick=${() => remove(pattern)} aria-label="Remove ${days.join(", ")} ${pattern.starts.join(", ")}">Remove</button>
    </div>`
    }
  </li>`;
}

function SlotRow({ slot, remove, busy }) {
  const isBooked = slot.bookings.length > 0;
  const state = isBooked ? "Booked" : slot.closed ? "Closed" : slot.free ? "Free" : "Held";
  return html`<li>
    <span class="tabular-numbers">${formatClock(slot.starts_at, getTimeZone())}</span>
    <span class="small-text">${[MODES[slot.mode], slot.place, slot.capacity > 1 && `${slot.free} of ${slot.capacity} free`].filter(Boolean).join(" · ")}</span>
    <span class=${isBooked ? "chip is-success" : "chip"}>${state}</span>
    <${Bookings} slot=${slot} />
    ${
      !isBooked &&
      html`<button type="button" class="link-button" aria-disabled=${busy} onClick=${() => remove(slot)}
      aria-label="Remove ${formatTime(slot.starts_at, getTimeZone())}">Remove</button>`
    }
  </li>`;
}

export function ConsultationTimes() {
  const center = me.value.tenant.tenant_id;
  const patterns = useLoad(() => listPatterns(center), [center]);
  const weeks = useTwoWeeks(getTimeZone());
  const slots = useLoad(
    () => listSlots(center, { first_day: weeks.first, last_day: weeks.last }),
    [center, weeks.first],
  );
  const [dialog, setDialog] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(NO_PROBLEM);
  const [busy, setBusy] = useState(false);
  const reload = () => Promise.all([patterns.reload(), slots.reload()]);
  const done = async (message) => {
    setDialog(null);
    announce(message);
    await reload();
  };
  const attempt = async (step) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await step();
    } catch (failure) {
      setProblem(failure);
    }
    setBusy(false);
    await reload();
  };
  const close = () => setDialog(null);
  return html`<div class="title-row">
      <${PageTitle} page="Consultation times">Consultation times<//>
      <span class="spacer" />
      <button type="button" onClick=${() => setDialog({ slot: true })}>Add one time</button>
      <button type="button" class="primary" onClick=${() => setDialog({ pattern: null })}>Add weekly times</button>
    </div>
    <p>Referring practices book these times for their patients. All times are in your center's time zone.</p>
    ${problem && html`<${Problem} problem=${problem} />`}
    <section class="card stack" aria-labelledby="weekly">
      <h2 id="weekly">Weekly times</h2>
      ${patterns.problem && html`<${Problem} problem=${patterns.problem} retry=${patterns.reload} />`}
      ${!patterns.data && !patterns.problem && html`<${Loading} what="weekly times" />`}
      ${
        patterns.data &&
        (patterns.data.length
          ? html`<ul class="stack">${patterns.data.map((pattern) => html`<${PatternRow} key=${pattern.pattern_id} pattern=${pattern} busy=${busy} edit=${(each) => setDialog({ pattern: each })} remove=${(each) => attempt(() => removePattern(center, each.pattern_id, each.version))} />`)}</ul>`
          : html`<p>No weekly times yet. Add the days and times at which your center sees new patients.</p>`)
      }
    </section>
    <section class="card stack" aria-labelledby="next-times">
      <h2 id="next-times">Times, ${formatDate(weeks.first)} to ${formatDate(weeks.last)}</h2>
      ${slots.problem && html`<${Problem} problem=${slots.problem} retry=${slots.reload} />`}
      ${!slots.data && !slots.problem && html`<${Loading} what="the times" />`}
      ${
        slots.data &&
        (slots.data.items.length
          ? groupByDay(slots.data.items, getTimeZone()).map(
              ([day, items]) => html`<h3 key=${day}>${formatWeekday(day)}</h3>
              <ul class="slots">${items.map((slot) => html`<${SlotRow} key=${slot.slot_id} slot=${slot} busy=${busy} remove=${(each) => attempt(() => removeSlot(center, each))} />`)}</ul>`,
            )
          : html`<p>No times in these two weeks.</p>`)
      }
      <${WeekButtons} weeks=${weeks} />
    </section>
    ${dialog && "pattern" in dialog && html`<${PatternDialog} center=${center} pattern=${dialog.pattern} onDone=${done} onClose=${close} />`}
    ${dialog?.slot && html`<${SlotDialog} center=${center} zone=${getTimeZone()} onDone=${done} onClose=${close} />`}`;
}
