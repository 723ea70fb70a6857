// The dialog in which something is reported. Nothing moves on the screen before the server
// has said that it moved.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { ErrorSummary, RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { buildFormHref, navigate } from "../platform/route.js";
import { formatTime, formatWallClock, getNowAfter, toTimestamp } from "../platform/time.js";
import { Dialog, Field, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { findStep } from "./form_step_list.js";
import { sendEvent } from "./referrals_api.js";

/** The calendar day at the center when the clock here showed `when`. */
const formatDayAt = (when, center) =>
  formatWallClock(Date.parse(toTimestamp(when, getTimeZone())), center.time_zone).slice(0, 10);

/** What the form starts from: now, or when the event was that is corrected. @returns {Record<string, string>} */
function buildEmptyValues({ at, fields }) {
  const when = formatWallClock(at ? Date.parse(at) : Date.now(), getTimeZone());
  return { when, opened: when, ...Object.fromEntries(fields.map(({ name, value = "" }) => [name, String(value)])) };
}

/** The last thing that is known of a referral, whoever's clock it was told by. */
const getLastKnownTime = ({ stage_since: stage, hold }) =>
  hold && Date.parse(hold.since) > Date.parse(stage) ? hold.since : stage;

/** The form knows minutes only: "now", and the minute of what is known last, come after that. */
function readOccurredAt({ when, opened }, referral, report) {
  if (report.at && when === opened) return report.at;
  const since = getLastKnownTime(referral);
  const recent = !report.at && (when === opened || when === formatWallClock(Date.parse(since), getTimeZone()));
  return recent ? getNowAfter(since) : toTimestamp(when, getTimeZone());
}

function buildEvent(report, values, referral) {
  const at = readOccurredAt(values, referral, report);
  const filled = report.fields.filter(({ name, shown }) => values[name].trim() && (!shown || shown(values)));
  const answers = Object.fromEntries(
    filled.map(({ name, type, number }) => [
      name,
      type === "number" || number ? Number(values[name]) : values[name].trim(),
    ]),
  );
  return {
    type: report.type,
    // A correction is true now; when the event was stands in what replaces it.
    occurred_at: report.body ? new Date().toISOString() : at,
    data: report.body ? report.body(answers, at) : { ...report.data, ...answers },
  };
}

/** A select whose options have to be fetched first. */
function CenterOptions({ load, ...rest }) {
  const { data, problem, reload } = useLoad(load, []);
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  return html`<${Field} options=${data || [["", "Loading …"]]} ...${rest} />`;
}

function ReportField({ spec, values, errors, change }) {
  const { name, choice, load, shown, value, number, half, first, ...rest } = spec;
  const pointer = `/data/${name}`;
  const shared = { pointer, error: errors[pointer], value: values[name], ...rest };
  if (choice) return html`<${RadioChoice} ...${shared} options=${choice} onPick=${(picked) => change(name, picked)} />`;
  return html`<${load ? CenterOptions : Field} load=${load} onInput=${(event) => change(name, event.target.value)} ...${shared} />`;
}

export function ReportDialog({ report, referral, settle, onClose }) {
  const [values, setValues] = useState(() => buildEmptyValues(report));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const request = useIdempotentRequest((body, key) => sendEvent(referral.referral_id, body, key));

  const errors = Object.fromEntries((problem?.errors || []).map((error) => [error.pointer, error.message]));
  const { center } = referral;
  const change = (name, value) => {
    /** @type {Record<string, string>} */
    const next = { ...values, [name]: value };
    // The day at the center goes with the time until somebody sets it by hand.
    if (name === "when" && value && values.local_date && values.local_date === formatDayAt(values.when, center))
      next.local_date = formatDayAt(value, center);
    setValues(next);
  };
  const unknown = !!request.unresolved && !busy;

  const submit = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      const { status } = await request.run(buildEvent(report, values, referral));
      onClose();
      settle(
        status === "recorded"
          ? "Kept as history: something later is already known."
          : report.done || `Done: ${report.label}.`,
        false,
      );
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
    const here = document.getElementById(toFieldId(pointer));
    if (here) here.focus();
    else navigate(buildFormHref(referral.referral_id, findStep(pointer)));
  };
  const fields = report.fields.filter(({ shown }) => !shown || shown(values));
  const ask = (specs) =>
    specs.map(
      (spec) =>
        html`<${ReportField} key=${spec.name} spec=${spec} values=${values} errors=${errors} change=${change} />`,
    );
  const halves = fields.filter(({ half }) => half);

  return html`<${Dialog} title=${report.title || report.label} onClose=${leave}>
    <form onSubmit=${submit} class="stack">
      ${
        problem &&
        (problem.errors.length
          ? html`<${ErrorSummary} title=${problem.message} errors=${problem.errors} onPick=${pick} />`
          : html`<${Problem} problem=${problem} retry=${unknown ? submit : null}>
            ${unknown ? "No answer came, so it is not certain that this was recorded. Trying again is safe." : problem.message}
          <//>`)
      }
      <fieldset class="plain stack" disabled=${unknown}>
        ${ask(fields.filter(({ first }) => first))}
        ${
          (report.showsWhen?.(values) ?? true) &&
          html`<${Field} label="When did it happen?" pointer="/occurred_at" type="datetime-local" required value=${values.when}
          error=${errors["/occurred_at"]} onInput=${(event) => change("when", event.target.value)}
          hint="Your organization's time: ${formatTime(new Date().toISOString(), getTimeZone())} now." />`
        }
        ${ask(fields.filter(({ name }) => name === "local_date"))}
        ${halves.length > 0 && html`<div class="pair">${ask(halves)}</div>`}
        ${ask(fields.filter(({ name, first, half }) => !first && !half && name !== "local_date"))}
      </fieldset>
      <div class="buttons">
        ${!unknown && html`<button class="primary" aria-disabled=${busy}>${busy ? "Recording …" : report.label}</button>`}
        <button type="button" onClick=${leave}>${unknown ? "Close" : "Cancel"}</button>
      </div>
    </form>
  <//>`;
}
