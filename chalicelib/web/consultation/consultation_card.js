// The consultation on the page of a referral: when it is, and the dialogs to cancel it.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { buildPageHref } from "../platform/route.js";
import { formatPlanned, formatTime } from "../platform/time.js";
import { Dialog, Loading, Problem, useLoad } from "../platform/ui.js";
import { isAllowed } from "../referrals/referrals_api.js";
import { cancelConsultation, getConsultation } from "./consultation_api.js";
import { CANCEL_REASONS, MODES, PARTS_OF_DAY, STATE_LABELS, WEEKDAYS } from "./consultation_labels.js";

const OPENS_TIMES = ["consultation.book", "consultation.move"];
const PHASES_WITH_CONSULTATION = ["referral", "consultation"];

/** The time for the reader, and at the center if its zone differs. */
export function PlannedTime({ value, zone }) {
  const own = getTimeZone();
  const text = formatPlanned(value, value.starts_at ? own : zone);
  const there = value.starts_at ? formatPlanned(value, zone) : "";
  return html`<span class="tabular-numbers">${text}</span>${there && there !== text && html` <span class="small-text tabular-numbers">${there} at the center</span>`}`;
}

function Line({ children }) {
  return children ? html`<p>${children}</p>` : null;
}

function Asked({ request }) {
  const days = WEEKDAYS.filter(([day]) => request.preferred_days.includes(day)).map(([, label]) => label);
  const part = PARTS_OF_DAY.find(([code]) => code === request.part_of_day)?.[1];
  const parts = [
    days.length > 0 && `Days that work: ${days.join(", ")}.`,
    request.earliest_on && `From ${formatPlanned({ on: request.earliest_on }, "UTC")}.`,
    part !== "Any" && `${part}.`,
    request.mode && `${MODES[request.mode]}.`,
  ].filter(Boolean);
  return html`<p>${request.asked_by} asked the center for a time on ${formatTime(request.asked_at, getTimeZone())}. ${parts.join(" ")}</p>
    ${request.note && html`<p class="note">${request.note}</p>`}`;
}

function CancelDialog({ referral, consultation, onDone, onClose }) {
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    if (!reason) return setError("Choose a reason.");
    setBusy(true);
    try {
      await cancelConsultation(referral.referral_id, reason, consultation.version);
      onDone("Consultation canceled. Both teams will be notified.");
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  return html`<${Dialog} title="Cancel the consultation?" onClose=${onClose}>
    <form class="stack" novalidate onSubmit=${send}>
      ${problem && html`<${Problem} problem=${problem} />`}
      <${RadioChoice} pointer="/reason" label="Reason" value=${reason} options=${CANCEL_REASONS} error=${error}
        onPick=${(value) => setReason(value)} />
      <p class="small-text">Both teams are notified, and the time is free for other patients.</p>
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "Canceling…" : "Cancel consultation"}</button>
        <button type="button" onClick=${onClose}>Keep it</button>
      </div>
    </form>
  <//>`;
}

function Buttons({ referral, onCancel }) {
  const open = referral.actions.find(({ action, allowed }) => allowed && OPENS_TIMES.includes(action));
  return html`<div class="buttons">
    ${open && html`<a class="button" href=${buildPageHref(referral.referral_id, "consultation")}>${open.label}</a>`}
    ${isAllowed(referral, "consultation.cancel") && html`<button type="button" onClick=${onCancel}>Cancel consultation</button>`}
  </div>`;
}

export function ConsultationCard({ referral, showResult }) {
  const id = referral.referral_id;
  const { data, problem, reload } = useLoad(() => getConsultation(id), [id, referral.version]);
  const [canceling, setCanceling] = useState(false);
  const finish = async (message) => {
    setCanceling(false);
    await reload();
    showResult(message, false);
  };
  const isOver = !PHASES_WITH_CONSULTATION.includes(referral.phase);
  // A patient who is being treated needs no empty card that offers a first visit.
  if (isOver && !problem && (!data || (data.state === "none" && !data.request))) return null;
  return html`<section class="card stack" aria-labelledby="consultation">
    <h2 id="consultation">Consultation${data && html` <span class=${data.state === "booked" ? "chip is-success" : "chip"}>${STATE_LABELS[data.state]}</span>`}</h2>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="the consultation" />`}
    ${
      data &&
      html`
      ${(data.starts_at || data.on) && html`<p><${PlannedTime} value=${data} zone=${data.time_zone} /></p>`}
      <${Line}>${[data.mode && MODES[data.mode], data.minutes && `${data.minutes} minutes`, data.place, data.contact].filter(Boolean).join(" · ")}<//>
      ${data.note && html`<p class="note">${data.note}</p>`}
      ${data.request && html`<${Asked} request=${data.request} />`}
      ${data.reminder_at && html`<p class="small-text">Both teams are reminded on ${formatTime(data.reminder_at, getTimeZone())}.</p>`}
      <${Buttons} referral=${referral} onCancel=${() => setCanceling(true)} />`
    }
    ${
      canceling &&
      html`<${CancelDialog} referral=${referral} consultation=${data} onDone=${finish} onClose=${() => setCanceling(false)} />`
    }
  </section>`;
}
