// The dialogs of a center's consultation times: weekly times with their exceptions, and one more time.
import { html, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { toTimestamp } from "../platform/timestamps.js";
import { Dialog, Field, toFieldId } from "../platform/ui.js";
import { changePattern, publishPattern, publishSlot } from "./consultation_api.js";
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
/** @param {string} text "2026-12-28 9:00, 2026-12-29 14:30" */
const readExtra = (text) =>
  text
    .split(/[,;]+/)
    .filter((each) => each.trim())
    .map((each) => {
      const [on, at = ""] = each.trim().split(/\s+/);
      return { on, at: at.padStart(5, "0") };
    });

/** What a time offers, weekly or once. */
const readOffer = (values) => ({
  minutes: Number(values.minutes),
  mode: values.mode,
  capacity: Number(values.capacity),
  place: values.place.trim() || null,
  contact: values.contact.trim() || null,
});

const toBody = (values) => ({
  ...readOffer(values),
  weekdays: values.weekdays,
  starts: readTimes(values.starts),
  ends_on: values.ends_on || null,
  days_off: readDays(values.days_off),
  extra: readExtra(values.extra),
  ...(values.begins_on ? { begins_on: values.begins_on } : {}),
});

const NEW_OFFER = { minutes: "60", mode: "telehealth", capacity: "1", place: "", contact: "" };
const NEW_SLOT = { ...NEW_OFFER, day: "", time: "" };
const NEW_PATTERN = {
  ...NEW_OFFER,
  weekdays: [],
  starts: "",
  begins_on: "",
  ends_on: "",
  days_off: "",
  extra: "",
};

const toValues = (pattern) => ({
  ...NEW_PATTERN,
  ...pattern,
  starts: pattern.starts.join(", "),
  minutes: String(pattern.minutes),
  capacity: String(pattern.capacity),
  ends_on: pattern.ends_on ?? "",
  days_off: pattern.days_off.join(", "),
  extra: pattern.extra.map(({ on, at }) => `${on} ${at}`).join(", "),
  place: pattern.place ?? "",
  contact: pattern.contact ?? "",
});

/** The field that an error belongs to; the error of one time of a list belongs to the list. @param {string} pointer */
const getField = (pointer) => (pointer === "/starts_at" ? "/time" : `/${pointer.split("/")[1]}`);
const focusField = (pointer) => document.getElementById(toFieldId(getField(pointer)))?.focus();
const listErrors = (problem) =>
  Object.fromEntries((problem?.errors ?? []).map(({ pointer, message }) => [getField(pointer), message]));

function OfferFields({ values, field, pick }) {
  return html`<${RadioChoice} pointer="/mode" label="How" value=${values.mode} options=${MODE_OPTIONS} onPick=${pick} />
    ${field("minutes", "Length in minutes", { inputmode: "numeric" })}
    ${field("capacity", "Patients at the same time", { inputmode: "numeric" })}
    ${field("place", "Place", { optional: true, maxlength: "200" })}
    ${field("contact", "Contact", { optional: true, maxlength: "200" })}`;
}

export function PatternDialog({ center, pattern, onDone, onClose }) {
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
  const errors = listErrors(problem);
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
      <${OfferFields} values=${values} field=${field} pick=${(mode) => setValues((old) => ({ ...old, mode }))} />
      ${field("begins_on", "First day", { type: "date", optional: true })}
      ${field("ends_on", "Last day", { type: "date", optional: true })}
      ${field("days_off", "Days off", { optional: true, hint: "Such as 2026-12-24, 2026-12-25." })}
      ${field("extra", "Extra times", { optional: true, hint: "Besides the weekly ones, such as 2026-12-28 09:00, 2026-12-29 14:30." })}
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "Saving…" : "Save weekly times"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </form>
  <//>`;
}

export function SlotDialog({ center, zone, onDone, onClose }) {
  const [values, setValues] = useState(/** @type {any} */ (NEW_SLOT));
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
      await post.run({ starts_at: startsAt, ...readOffer(values) });
      onDone("Time published.");
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  const errors = listErrors(problem);
  const field = (name, label, rest = {}) =>
    html`<${Field} pointer="/${name}" label=${label} value=${values[name]} error=${errors[`/${name}`]} onInput=${set(name)} ...${rest} />`;
  return html`<${Dialog} title="Add one time" onClose=${onClose}>
    <form class="stack" novalidate onSubmit=${send}>
      <${RefusedRequest} problem=${problem} unknown=${!!post.unresolved && !busy} retry=${send} onPick=${focusField} />
      ${field("day", "Day", { type: "date" })}
      ${field("time", "Time", { type: "time", hint: "Local time at your center." })}
      <${OfferFields} values=${values} field=${field} pick=${(mode) => setValues((old) => ({ ...old, mode }))} />
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "Publishing…" : "Publish time"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </form>
  <//>`;
}
