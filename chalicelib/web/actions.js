// What this member may record now, and why not the rest. Nothing moves on the screen before
// the server has said that it moved.
import { ErrorSummary } from "./answers.js";
import * as api from "./api.js";
import { Attempt } from "./attempt.js";
import { html, useRef, useState } from "./dom.js";
import { go, toForm } from "./route.js";
import { zone } from "./state.js";
import { stepOf } from "./steps.js";
import { instantOf, nowAfter, timeIn, wallClock } from "./time.js";
import { Dialog, Field, fieldId, Problem } from "./ui.js";
import { word } from "./words.js";

/** Why a referral ended or waits, as options of a select. */
const REASONS = [["", "Choose a reason"]].concat(
  [
    "disease_progression", "poor_performance", "comorbidity", "excess_disease_burden",
    "no_available_product_or_trial", "toxicity_concern", "other_therapy_chosen", "patient_choice",
    "caregiver_unavailable", "travel_or_lodging", "coverage_denied", "coverage_pending_too_long",
    "sca_not_reached", "misrouted", "inquiry_only", "manufacturing_failure", "infection_hold",
    "death_before_treatment", "unknown",
  ].map((code) => [code, word(code)]),
);

/** The calendar day at the center when the clock here showed `when`. */
const dayAt = (when, center) => wallClock(Date.parse(instantOf(when, zone())), center.time_zone).slice(0, 10);

/** What the form starts from: now, here, and the calendar date at the center. */
function blank(action, center, parts) {
  const when = wallClock(Date.now(), zone());
  const infusion = action.needs.includes("local_date");
  return { when, opened: when, note: "", reason: "", ...(infusion && { part: "1", of: String(parts), day: dayAt(when, center) }) };
}

/** The form knows minutes only: "now", and the minute of the present stage, come after that stage. */
function occurredAt({ when, opened }, since) {
  const typed = instantOf(when, zone());
  const recent = when === opened || when === wallClock(Date.parse(since), zone());
  return recent ? nowAfter(since) : typed;
}

function eventOf(action, values, since) {
  return {
    type: "stage.changed",
    occurred_at: occurredAt(values, since),
    data: {
      stage: action.stage,
      note: values.note.trim() || null,
      reason_code: values.reason || null,
      ...(values.day && { part: Number(values.part), of: Number(values.of), local_date: values.day }),
    },
  };
}

function Infusion({ values, field, center }) {
  return html`<${Field} label="Calendar date at the center" pointer="/data/local_date" type="date" required
      hint="The day there (${center.time_zone}) is day 0 of the monitoring window." ...${field("day", "/data/local_date")} />
    <div class="pair">
      <${Field} label="Infusion part" pointer="/data/part" type="number" min="1" max=${values.of} required ...${field("part", "/data/part")} />
      <${Field} label="of" pointer="/data/of" type="number" min="1" max="9" required ...${field("of", "/data/of")} />
    </div>`;
}

function ActionDialog({ action, referral, parts, settle, onClose }) {
  const [values, setValues] = useState(() => blank(action, referral.center, parts));
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const attempt = useRef(null);
  attempt.current ??= new Attempt((body, key) => api.sendEvent(referral.referral_id, body, key));

  const errors = Object.fromEntries((problem?.errors || []).map((error) => [error.pointer, error.message]));
  const change = (name, value) => {
    const next = { ...values, [name]: value };
    // The day at the center goes with the time until somebody sets it by hand.
    if (name === "when" && value && values.day === dayAt(values.when, referral.center)) next.day = dayAt(value, referral.center);
    setValues(next);
  };
  const field = (name, pointer) => ({
    value: values[name],
    error: errors[pointer],
    onInput: (event) => change(name, event.target.value),
  });
  const unknown = !!attempt.current.open && !busy;

  const submit = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      const { status } = await attempt.current.run(eventOf(action, values, referral.stage_since));
      onClose();
      settle(status === "recorded" ? "Kept as history: something later is already known." : `Done: ${action.label}.`, false);
    } catch (refusal) {
      setBusy(false);
      if (refusal.status === 409 && !refusal.errors.length) {
        onClose();
        settle(`Not recorded. ${refusal.message}`, true);
      } else setProblem(refusal);
    }
  };
  const leave = () => {
    onClose();
    if (unknown) settle("It is not certain that your entry arrived. Below is what the server knows now.", true);
  };
  const pick = (pointer) => {
    const here = document.getElementById(fieldId(pointer));
    if (here) here.focus();
    else go(toForm(referral.referral_id, stepOf(pointer)));
  };

  return html`<${Dialog} title=${action.label} onClose=${leave}>
    <form onSubmit=${submit} class="stack">
      ${problem &&
      (problem.errors.length
        ? html`<${ErrorSummary} title=${problem.message} errors=${problem.errors} onPick=${pick} />`
        : html`<${Problem} problem=${problem} retry=${unknown ? submit : null}>
            ${unknown ? "No answer came, so it is not certain that this was recorded. Trying again is safe." : problem.message}
          <//>`)}
      <fieldset class="plain stack" disabled=${unknown}>
        <${Field} label="When did it happen?" pointer="/occurred_at" type="datetime-local" required
          hint="Your organization's time: ${timeIn(new Date().toISOString(), zone())} now." ...${field("when", "/occurred_at")} />
        ${values.day && html`<${Infusion} values=${values} field=${field} center=${referral.center} />`}
        ${action.ends &&
        html`<${Field} label="Reason" optional pointer="/data/reason_code" options=${REASONS} ...${field("reason", "/data/reason_code")} />`}
        <${Field} label="Note" optional pointer="/data/note" rows="3" maxlength="4000"
          hint="Both sides can read it. Keep it short." ...${field("note", "/data/note")} />
      </fieldset>
      <div class="buttons">
        ${!unknown && html`<button class="primary" aria-disabled=${busy}>${busy ? "Recording …" : action.label}</button>`}
        <button type="button" onClick=${leave}>${unknown ? "Close" : "Cancel"}</button>
      </div>
    </form>
  <//>`;
}

/** Buttons that open the dialog of an action. The server lists the nearest step first. */
function Buttons({ actions, choose, first }) {
  return actions.map(
    (action, index) => html`<button type="button" class=${index === 0 ? first : ""} onClick=${() => choose(action)}>
      ${action.label}
    </button>`,
  );
}

export function Actions({ referral, parts, settle }) {
  const [chosen, setChosen] = useState(null);
  const onward = referral.actions.filter((action) => action.allowed && !action.ends);
  const endings = referral.actions.filter((action) => action.allowed && action.ends);
  const others = referral.actions.filter((action) => !action.allowed);
  if (!referral.actions.length) return null;
  return html`<section class="actions" aria-label="What can be recorded now">
    <${Buttons} actions=${onward} choose=${setChosen} first="primary" />
    ${!onward.length && html`<p class="fine">The next step is not your team's.</p>`}
    ${endings.length > 0 &&
    html`<details>
      <summary>End the journey</summary>
      <div class="buttons"><${Buttons} actions=${endings} choose=${setChosen} /></div>
    </details>`}
    ${others.length > 0 &&
    html`<details>
      <summary>Not yours to record now (${others.length})</summary>
      <ul>${others.map((action) => html`<li>${action.label}. <span class="fine">${action.why_not}</span></li>`)}</ul>
    </details>`}
    ${chosen &&
    html`<${ActionDialog} action=${chosen} referral=${referral} parts=${parts} settle=${settle} onClose=${() => setChosen(null)} />`}
  </section>`;
}
