// Consultation times, for a center's team: weekly patterns, single times, and who booked which.
import { getTimeZone, me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatCount } from "../platform/labels.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { buildReferralHref } from "../platform/route.js";
import { formatClock, formatDate, formatTime, formatWeekday, toTimestamp } from "../platform/time.js";
import { announce, Dialog, Field, Loading, PageTitle, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { groupByDay } from "./book.js";
import {
  changePattern,
  listPatterns,
  listSlots,
  publishPattern,
  publishSlot,
  removePattern,
  removeSlot,
} from "./consultation_api.js";
import { MODES, WEEKDAYS } from "./consultation_labels.js";

const MODE_OPTIONS = Object.entries(MODES);
const NO_PROBLEM = /** @type {any} */ (null);

/** @param {string} text "9:00, 10:30" */
const readTimes = (text) =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map((each) => each.padStart(5, "0"));
/** @param {string} text */
const readDays = (text) => text.split(/[\s,;]+/).filter(Boolean);

const toBody = (values) => ({
  weekdays: values.weekdays,
  starts: readTimes(values.starts),
  minutes: Number(values.minutes),
  mode: values.mode,
  capacity: Number(values.capacity),
  ends_on: values.ends_on || null,
  days_off: readDays(values.days_off),
  extra: values.extra,
  place: values.place.trim() || null,
  contact: values.contact.trim() || null,
  ...(values.begins_on ? { begins_on: values.begins_on } : {}),
});

const NEW_PATTERN = {
  weekdays: [],
  starts: "",
  minutes: "60",
  mode: "telehealth",
  capacity: "1",
  begins_on: "",
  ends_on: "",
  days_off: "",
  extra: [],
  place: "",
  contact: "",
};

const toValues = (pattern) => ({
  ...NEW_PATTERN,
  ...pattern,
  starts: pattern.starts.join(", "),
  minutes: String(pattern.minutes),
  capacity: String(pattern.capacity),
  ends_on: pattern.ends_on ?? "",
  days_off: pattern.days_off.join(", "),
  place: pattern.place ?? "",
  contact: pattern.contact ?? "",
});

const focusField = (pointer) => document.getElementById(toFieldId(pointer))?.focus();

function PatternDialog({ center, pattern, onDone, onClose }) {
  const [values, setValues] = useState(/** @type {any} */ (pattern ? toValues(pattern) : NEW_PATTERN));
  const [problem, setProblem] = useState(NO_PROBLEM);
  const [busy, setBusy] = useState(false);
  const post = useIdempotentRequest((body, key) => publishPattern(center, body, key));
  const set = (name) => (event) => setValues((old) => ({ ...old, [name]: event.target.value }));
  const toggle = (day) =>
    setValues((old) => ({
      ...old,
      weekdays: old.weekdays.includes(day) ? old.weekdays.filter((each) => each !== day) : [...old.weekdays, day],
    }));
  const send = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      const body = toBody(values);
      const saved = pattern
        ? await changePattern(center, pattern.pattern_id, body, pattern.version)
        : await post.run(body);
      onDone(saved.to_review.length ? "Saved. Some booked times need your attention." : "Saved.");
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  const errors = Object.fromEntries((problem?.errors ?? []).map(({ pointer, message }) => [pointer, message]));
  const field = (name, label, rest = {}) =>
    html`<${Field} pointer="/${name}" label=${label} value=${values[name]} error=${errors[`/${name}`]} onInput=${set(name)} ...${rest} />`;
  return html`<${Dialog} title=${pattern ? "Change weekly times" : "Add weekly times"} onClose=${onClose}>
    <form class="stack" novalidate onSubmit=${send}>
      <${RefusedRequest} problem=${problem} unknown=${!!post.unresolved && !busy} retry=${send} onPick=${focusField} />
      <fieldset class="choice"><legend>Days</legend>
        <div class="options">${WEEKDAYS.map(
          ([day, label], index) => html`<label><input type="checkbox" id=${index ? undefined : toFieldId("/weekdays")}
            checked=${values.weekdays.includes(day)} onChange=${() => toggle(day)} />${label}</label>`,
        )}</div>
        ${errors["/weekdays"] && html`<p class="error">${errors["/weekdays"]}</p>`}
      </fieldset>
      ${field("starts", "Times", { hint: "24-hour times at your center, such as 09:00, 13:30." })}
      <${RadioChoice} pointer="/mode" label="How" value=${values.mode} options=${MODE_OPTIONS}
        onPick=${(mode) => setValues((old) => ({ ...old, mode }))} />
      ${field("minutes", "Length in minutes", { inputmode: "numeric" })}
      ${field("capacity", "Patients at the same time", { inputmode: "numeric" })}
      ${field("begins_on", "First day", { type: "date", optional: true })}
      ${field("ends_on", "Last day", { type: "date", optional: true })}
      ${field("days_off", "Days off", { optional: true, hint: "Such as 2026-12-24, 2026-12-25." })}
      ${field("place", "Place", { optional: true, maxlength: "200" })}
      ${field("contact", "Contact", { optional: true, maxlength: "200" })}
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "Saving…" : "Save weekly times"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </form>
  <//>`;
}

function SlotDialog({ center, zone, onDone, onClose }) {
  const [values, setValues] = useState(/** @type {any} */ ({ day: "", time: "", minutes: "60", mode: "telehealth" }));
  const [problem, setProblem] = useState(NO_PROBLEM);
  const [busy, setBusy] = useState(false);
  const post = useIdempotentRequest((body, key) => publishSlot(center, body, key));
  const set = (name) => (event) => setValues((old) => ({ ...old, [name]: event.target.value }));
  const send = async (event) => {
    event?.preventDefault();
    const missing = ["day", "time"].filter((name) => !values[name]);
    if (missing.length)
      return setProblem({
        errors: missing.map((name) => ({
          pointer: `/${name}`,
          message: name === "day" ? "Enter the day." : "Enter the time.",
        })),
      });
    setBusy(true);
    try {
      const startsAt = toTimestamp(`${values.day}T${values.time}`, zone);
      await post.run({ starts_at: startsAt, minutes: Number(values.minutes), mode: values.mode });
      onDone("Time published.");
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  const errors = Object.fromEntries((problem?.errors ?? []).map(({ pointer, message }) => [pointer, message]));
  return html`<${Dialog} title="Add one time" onClose=${onClose}>
    <form class="stack" novalidate onSubmit=${send}>
      <${RefusedRequest} problem=${problem} unknown=${!!post.unresolved && !busy} retry=${send} onPick=${(pointer) => focusField(pointer === "/starts_at" ? "/time" : pointer)} />
      <${Field} pointer="/day" label="Day" type="date" value=${values.day} error=${errors["/day"]} onInput=${set("day")} />
      <${Field} pointer="/time" label="Time" type="time" hint="Local time at your center." value=${values.time}
        error=${errors["/time"] ?? errors["/starts_at"]} onInput=${set("time")} />
      <${Field} pointer="/minutes" label="Length in minutes" inputmode="numeric" value=${values.minutes} error=${errors["/minutes"]} onInput=${set("minutes")} />
      <${RadioChoice} pointer="/mode" label="How" value=${values.mode} options=${MODE_OPTIONS}
        onPick=${(mode) => setValues((old) => ({ ...old, mode }))} />
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "Publishing…" : "Publish time"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </form>
  <//>`;
}

const listLocal = (starts) => starts.map(({ on, at }) => `${formatDate(on)}, ${at}`).join("; ");

function Bookings({ slot }) {
  return slot.bookings.map(
    ({ referral_id: id, alias }) => html`<a key=${id} href=${buildReferralHref(id)}>${alias}</a> `,
  );
}

function PatternRow({ pattern, edit, remove, busy }) {
  const days = WEEKDAYS.filter(([day]) => pattern.weekdays.includes(day)).map(([, label]) => label);
  return html`<li class="stack">
    <p><strong>${pattern.removed ? "Removed: " : ""}${days.join(", ") || "Single days"} ${pattern.starts.join(", ")}</strong>
      <span class="subtext">${[MODES[pattern.mode], `${pattern.minutes} minutes`, formatCount(pattern.capacity, "patient"), pattern.place, pattern.ends_on && `until ${formatDate(pattern.ends_on)}`].filter(Boolean).join(" · ")}</span></p>
    ${!pattern.removed && html`<p class="small-text">${formatCount(pattern.free_slots, "free time")} in the next 12 weeks.</p>`}
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
  return html`<li>
    <span class="tabular-numbers">${formatClock(slot.starts_at, getTimeZone())}</span> ${MODES[slot.mode]}
    <span class=${isBooked ? "chip is-success" : "chip"}>${isBooked ? "Booked" : slot.closed ? "Closed" : slot.free ? "Free" : "Held"}</span>
    ${slot.capacity > 1 && html` <span class="small-text">${slot.free} of ${slot.capacity} free</span>`}
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
  const slots = useLoad(() => listSlots(center, {}), [center]);
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
      <h2 id="next-times">The next two weeks</h2>
      ${slots.problem && html`<${Problem} problem=${slots.problem} retry=${slots.reload} />`}
      ${!slots.data && !slots.problem && html`<${Loading} what="the times" />`}
      ${
        slots.data &&
        (slots.data.items.length
          ? groupByDay(slots.data.items, getTimeZone()).map(
              ([day, items]) => html`<h3 key=${day}>${formatWeekday(day)}</h3>
              <ul>${items.map((slot) => html`<${SlotRow} key=${slot.slot_id} slot=${slot} busy=${busy} remove=${(each) => attempt(() => removeSlot(center, each))} />`)}</ul>`,
            )
          : html`<p>No times in the next two weeks.</p>`)
      }
    </section>
    ${dialog && "pattern" in dialog && html`<${PatternDialog} center=${center} pattern=${dialog.pattern} onDone=${done} onClose=${close} />`}
    ${dialog?.slot && html`<${SlotDialog} center=${center} zone=${getTimeZone()} onDone=${done} onClose=${close} />`}`;
}
