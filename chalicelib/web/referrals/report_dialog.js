// The dialog to report an event. The page changes only after the server has confirmed the event.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { RefusedRequest } from "../platform/refused_request.js";
import { buildFormHref, navigate } from "../platform/route.js";
import { formatDate, formatTime, formatWallClock } from "../platform/time.js";
import { getNowAfter, toTimestamp } from "../platform/timestamps.js";
import { Dialog, Field, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { findStep } from "./form_step_list.js";
import { asksAboutDate, OldDateQuestion } from "./old_date.js";
import { sendEvent } from "./referrals_api.js";

/** What a page says when a report did not change the status. */
export const SAVED_IN_HISTORY =
  "Saved in the history. A later status is already recorded, so the current status did not change.";

/** The calendar date at the center at a time of this organization's clock. */
const formatDayAt = (when, center) =>
  formatWallClock(Date.parse(toTimestamp(when, getTimeZone())), center.time_zone).slice(0, 10);

/** The initial values of the form: the current time, or the time of the event to correct. @returns {Record<string, string>} */
function buildEmptyValues({ at, fields }) {
  const when = formatWallClock(at ? Date.parse(at) : Date.now(), getTimeZone());
  return { when, opened: when, ...Object.fromEntries(fields.map(({ name, value = "" }) => [name, String(value)])) };
}

/** The time of the last known event of a referral, by any organization's clock. */
export const getLastKnownTime = ({ stage_since: stage, hold }) =>
  hold && Date.parse(hold.since) > Date.parse(stage) ? hold.since : stage;

/** The form has only minutes, so "now" and the minute of the last known event become a time after that event. */
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
    // The correction happens now. The time of the event is in its replacement.
    occurred_at: report.body ? new Date().toISOString() : at,
    data: report.body
      ? report.body(answers, at)
      : { ...report.data, ...(report.prepare ? report.prepare(answers) : answers) },
  };
}

/** The field of the dialog that a pointer means: a correction shows the fields of its replacement. @param {string} pointer */
const toShown = (pointer) => pointer.replace(/^\/data\/replacement/, "");

/** A select that loads its options. */
function CenterOptions({ load, ...rest }) {
  const { data, problem, reload } = useLoad(load, []);
  if (problem) return html`<${Problem} problem=${problem} retry=${reload} />`;
  return html`<${Field} options=${data || [["", "Loading…"]]} ...${rest} />`;
}

function ReportField({ spec, values, errors, change }) {
  const { name, choice, load, shown, value, number, half, first, ...rest } = spec;
  const pointer = `/data/${name}`;
  const shared = { pointer, error: errors[pointer], value: values[name], ...rest };
  if (choice) return html`<${RadioChoice} ...${shared} options=${choice} onPick=${(picked) => change(name, picked)} />`;
  return html`<${load ? CenterOptions : Field} load=${load} onInput=${(event) => change(name, event.target.value)} ...${shared} />`;
}

/** `byKey`: a single key opened the dialog. */
export function ReportDialog({ report, referral, showResult, onClose, byKey = false }) {
  const [values, setValues] = useState(() => buildEmptyValues(report));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const [confirmedDate, setConfirmedDate] = useState("");
  const request = useIdempotentRequest((body, key) => sendEvent(referral.referral_id, body, key));

  const errors = Object.fromEntries((problem?.errors || []).map((error) => [toShown(error.pointer), error.message]));
  const { center } = referral;
  const change = (name, value) => setValues({ ...values, [name]: value });
  const showsWhen = report.showsWhen?.(values) ?? true;
  const unknown = !!request.unresolved && !busy;

  const submit = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      const confirmed = confirmedDate === values.when ? { confirm_old_date: true } : {};
      const { status } = await request.run({ ...buildEvent(report, values, referral), ...confirmed });
      onClose();
      showResult(status === "recorded" ? SAVED_IN_HISTORY : report.done, false);
    } catch (failure) {
      setBusy(false);
      setProblem(failure);
    }
  };
  const leave = () => {
    onClose();
    // The status may have changed, so the page loads it again.
    if (problem?.status === 409 && !problem.errors.length) showResult(`Not saved. ${problem.message}`, true);
    if (unknown)
      showResult("We could not confirm that your entry was saved. Check the status below before you try again.", true);
  };
  const pick = (pointer) => {
    const field = document.getElementById(toFieldId(toShown(pointer)));
    if (field) field.focus();
    else navigate(buildFormHref(referral.referral_id, findStep(pointer)));
  };
  const fields = report.fields.filter(({ shown }) => !shown || shown(values));
  const renderFields = (specs) =>
    specs.map(
      (spec) =>
        html`<${ReportField} key=${spec.name} spec=${spec} values=${values} errors=${errors} change=${change} />`,
    );
  const halves = fields.filter(({ half }) => half);

  return html`<${Dialog} title=${report.title || report.label} onClose=${leave} byKey=${byKey}>
    <form onSubmit=${submit} class="stack">
      <${RefusedRequest} problem=${problem} unknown=${unknown} retry=${submit} onPick=${pick} />
      <fieldset class="plain stack" disabled=${unknown}>
        ${renderFields(fields.filter(({ first }) => first))}
        ${
          showsWhen &&
          html`<${Field} label="When did it happen?" pointer="/occurred_at" type="datetime-local" required value=${values.when}
          error=${errors["/occurred_at"]} onInput=${(event) => change("when", event.target.value)}
          hint="Your organization's time zone. It is now ${formatTime(new Date().toISOString(), getTimeZone())}." />`
        }
        ${
          showsWhen &&
          asksAboutDate(problem) &&
          html`<${OldDateQuestion} when=${values.when} confirmed=${confirmedDate === values.when}
            onChange=${(yes) => setConfirmedDate(yes ? values.when : "")} />`
        }
        ${
          showsWhen &&
          report.isInfusion &&
          values.when &&
          html`<p class="small-text">Day 0 at ${center.name}: <strong>${formatDate(formatDayAt(values.when, center))}</strong>.</p>`
        }
        ${halves.length > 0 && html`<div class="pair">${renderFields(halves)}</div>`}
        ${renderFields(fields.filter(({ first, half }) => !first && !half))}
      </fieldset>
      <div class="buttons">
        ${!unknown && html`<button class="primary" aria-disabled=${busy}>${busy ? "Saving…" : report.label}</button>`}
        <button type="button" onClick=${leave}>${unknown ? "Close" : "Cancel"}</button>
      </div>
    </form>
  <//>`;
}
