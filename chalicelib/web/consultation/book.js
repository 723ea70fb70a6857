// The page to book a consultation: free times as radio buttons, a hold with a countdown, and a question to the center.
import { getTimeZone } from "../identity/member.js";
import { html, useEffect, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatFullName } from "../platform/labels.js";
import { buildReferralHref, navigate } from "../platform/route.js";
import { formatClock, formatDate, formatTime, formatWeekday } from "../platform/time.js";
import { announce, Field, Icon, Loading, PageTitle, PhoneLink, Problem, useLoad } from "../platform/ui.js";
import { getReferral, isAllowed } from "../referrals/referrals_api.js";
import { askForTime, cancelConsultation, getConsultation, listSlots, putConsultation } from "./consultation_api.js";
import { MODES, PARTS_OF_DAY, WEEKDAYS } from "./consultation_labels.js";
import { groupByDay, useTwoWeeks, WeekButtons } from "./weeks.js";

const HOLD_AFTER_MS = 600;

/** "4:05": minutes and seconds until a hold ends. @param {number} ms */
export const formatLeft = (ms) => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

function Countdown({ until, onEnd }) {
  const [left, setLeft] = useState(Date.parse(until) - Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      const rest = Date.parse(until) - Date.now();
      setLeft(rest);
      if (rest <= 0) {
        clearInterval(timer);
        onEnd();
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [until]);
  return html`<span class="chip" role="timer">Held for you until ${formatClock(until, getTimeZone())} (${formatLeft(left)})</span>`;
}

function SlotRadio({ slot, zone, chosen, pick }) {
  const own = getTimeZone();
  const text = formatClock(slot.starts_at, own);
  const there = formatClock(slot.starts_at, zone);
  return html`<label>
    <input type="radio" name="slot" checked=${chosen} onChange=${() => pick(slot)} />
    <span>${text} <span class="small-text">${MODES[slot.mode]}</span>${there !== text && html`<span class="subtext">${there} at the center</span>`}</span>
  </label>`;
}

function FreeTimes({ page, chosenId, pick, weeks }) {
  const days = groupByDay(page.items, getTimeZone());
  return html`<section class="card stack" aria-labelledby="free-times">
    <h2 id="free-times">Free times, ${formatDate(weeks.first)} to ${formatDate(weeks.last)}</h2>
    <p class="small-text">In your time, and in the center's time if it differs. As of ${formatTime(page.as_of, getTimeZone())}.</p>
    ${
      days.length
        ? days.map(
            ([day, slots]) => html`<fieldset class="choice" key=${day}>
              <legend>${formatWeekday(day)}</legend>
              <div class="options">${slots.map((slot) => html`<${SlotRadio} key=${slot.slot_id} slot=${slot} zone=${page.time_zone} chosen=${slot.slot_id === chosenId} pick=${pick} />`)}</div>
            </fieldset>`,
          )
        : html`<p>No free times in these two weeks. Look at later weeks, or ask the center.</p>`
    }
    <${WeekButtons} weeks=${weeks} />
  </section>`;
}

function Selection({ consultation, slot, busy, book, release, onEnd }) {
  const [note, setNote] = useState("");
  const { hold, state } = consultation;
  const isMove = state === "booked";
  const when = formatTime(slot.starts_at, getTimeZone());
  return html`<section class="card stack" aria-labelledby="selection">
    <h2 id="selection">Your selection</h2>
    <p><strong class="tabular-numbers">${when}</strong></p>
    <p>${[MODES[slot.mode], `${slot.minutes} minutes`, slot.place, slot.contact].filter(Boolean).join(" · ")}</p>
    ${hold?.own && hold.slot_id === slot.slot_id && html`<p><${Countdown} until=${hold.until} onEnd=${onEnd} /></p>`}
    <${Field} pointer="/note" label="Note to the center" optional rows="2" maxlength="4000" value=${note}
      onInput=${(event) => setNote(event.target.value)} />
    <div class="buttons">
      <button type="button" class="primary" aria-disabled=${busy} onClick=${() => book(note.trim() || null)}>${isMove ? "Move to" : "Book"} ${when}</button>
      <button type="button" aria-disabled=${busy} onClick=${release}>Release this time</button>
    </div>
    <p class="small-text">Both teams get the date, an invitation without health details, and a reminder the day before.</p>
  </section>`;
}

function Ask({ referral, onAsked }) {
  const [values, setValues] = useState(/** @type {any} */ ({ preferred_days: [], part_of_day: "any" }));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const post = useIdempotentRequest((body, key) => askForTime(referral.referral_id, body, key));
  const set = (name, value) => setValues((old) => ({ ...old, [name]: value }));
  const toggle = (day) =>
    set(
      "preferred_days",
      values.preferred_days.includes(day)
        ? values.preferred_days.filter((each) => each !== day)
        : [...values.preferred_days, day],
    );
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await post.run({ ...values, earliest_on: values.earliest_on || null, note: values.note?.trim() || null });
      onAsked();
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  return html`<section class="card" aria-labelledby="ask">
    <h2 id="ask">No time that works?</h2>
    <form class="stack" novalidate onSubmit=${send}>
      <p>Ask the center for a time. ${referral.center?.intake_phone && html`You can also call <${PhoneLink} number=${referral.center.intake_phone} />.`}</p>
      ${problem && html`<${Problem} problem=${problem} />`}
      <fieldset class="choice"><legend>Days that work</legend>
        <div class="options">${WEEKDAYS.map(
          ([day, label]) => html`<label><input type="checkbox" checked=${values.preferred_days.includes(day)}
            onChange=${() => toggle(day)} />${label}</label>`,
        )}</div>
      </fieldset>
      <${RadioChoice} pointer="/part_of_day" label="Time of day" value=${values.part_of_day} options=${PARTS_OF_DAY}
        onPick=${(value) => set("part_of_day", value)} />
      <${Field} pointer="/earliest_on" label="Not before" type="date" optional value=${values.earliest_on ?? ""}
        onInput=${(event) => set("earliest_on", event.target.value)} />
      <${Field} pointer="/ask_note" label="Note" optional rows="2" maxlength="4000" value=${values.note ?? ""}
        onInput=${(event) => set("note", event.target.value)} />
      <div class="buttons"><button type="submit" aria-disabled=${busy}>${busy ? "Asking…" : "Ask the center"}</button></div>
    </form>
  </section>`;
}

export function BookConsultation({ id }) {
  const referral = useLoad(() => getReferral(id), [id]);
  const consultation = useLoad(() => getConsultation(id), [id]);
  const data = referral.data?.data;
  const zone = consultation.data?.time_zone ?? getTimeZone();
  const weeks = useTwoWeeks(zone);
  const centerId = consultation.data?.center_id;
  const slots = useLoad(
    async () =>
      centerId ? await listSlots(centerId, { first_day: weeks.first, last_day: weeks.last, referral_id: id }) : null,
    [centerId, weeks.first],
  );
  const [chosen, setChosen] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);

  // A reader who comes back to the page still holds the time.
  const held = consultation.data?.hold;
  useEffect(() => {
    if (held?.own && held.slot && !chosen) setChosen(held.slot);
  }, [consultation.data?.version]);

  /** Run a step; if it is refused, say why and show what is true now. */
  const attempt = async (step) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      return await step();
    } catch (failure) {
      setProblem(failure);
      setChosen(null);
      await Promise.all([referral.reload(), consultation.reload(), slots.reload()]);
    } finally {
      setBusy(false);
    }
  };
  const pick = (slot) => {
    setProblem(null);
    setChosen(slot);
  };
  // Arrow keys move through the times, so a time is held only when the reader stays on it.
  useEffect(() => {
    if (!chosen) return undefined;
    const timer = setTimeout(
      () =>
        attempt(async () => {
          const body = { slot_id: chosen.slot_id, state: "held" };
          consultation.replace(await putConsultation(id, body, consultation.data?.version ?? 0));
          announce(`${formatTime(chosen.starts_at, getTimeZone())} is held for you.`);
          // On a phone it is below the times.
          document.getElementById("selection")?.closest("section")?.scrollIntoView({ block: "nearest" });
        }),
      HOLD_AFTER_MS,
    );
    return () => clearTimeout(timer);
  }, [chosen?.slot_id]);
  const book = (note) =>
    attempt(async () => {
      const body = { slot_id: chosen.slot_id, state: "booked", note, reschedule: true };
      await putConsultation(id, body, consultation.data?.version ?? 0);
      announce("Consultation booked. Both teams will be notified.");
      navigate(buildReferralHref(id));
    });
  const release = () =>
    attempt(async () => {
      // A booking stands while another time is held, so only the hold may end. The hold ends by itself.
      if (consultation.data?.state === "held")
        consultation.replace(await cancelConsultation(id, "", consultation.data.version));
      setChosen(null);
      await slots.reload();
    });
  const onEnd = async () => {
    setChosen(null);
    announce("Your hold has ended. Choose a time again.");
    await Promise.all([consultation.reload(), slots.reload()]);
  };

  const failed = referral.problem || consultation.problem;
  if (!data || !consultation.data) {
    return failed
      ? html`<${PageTitle} page="Consultation">Book the consultation<//><${Problem} problem=${failed} retry=${() => Promise.all([referral.reload(), consultation.reload()])} />`
      : html`<${Loading} what="the consultation" />`;
  }
  const obstacle = data.actions.find(({ action }) => action === "consultation.hold")?.why_not;
  const asked = async () => {
    announce("The center was asked for a time.");
    navigate(buildReferralHref(id));
  };
  return html`<p class="back-link"><a href=${buildReferralHref(id)}><${Icon} name="arrow-left" />${formatFullName(data.patient)}</a></p>
    <${PageTitle} page="Consultation">${consultation.data.state === "booked" ? "Reschedule" : "Book"} the consultation<//>
    <p class="small-text">${[data.patient.alias, data.center?.name].filter(Boolean).join(" · ")}</p>
    ${
      consultation.data.state === "booked" &&
      consultation.data.starts_at &&
      html`<p class="banner">Booked for ${formatTime(consultation.data.starts_at, getTimeZone())}. The booking stands until you move it.</p>`
    }
    ${problem && html`<${Problem} problem=${problem} />`}
    ${
      !obstacle
        ? html`<div class="columns">
          <div>
            ${slots.problem && html`<${Problem} problem=${slots.problem} retry=${slots.reload} />`}
            ${!slots.data && !slots.problem && html`<${Loading} what="free times" />`}
            ${slots.data && html`<${FreeTimes} page=${slots.data} chosenId=${chosen?.slot_id} pick=${pick} weeks=${weeks} />`}
          </div>
          <div>
            ${chosen && html`<${Selection} consultation=${consultation.data} slot=${chosen} busy=${busy} book=${book} release=${release} onEnd=${onEnd} />`}
            ${isAllowed(data, "consultation.ask") && html`<${Ask} referral=${data} onAsked=${asked} />`}
          </div>
        </div>`
        : html`<p>${obstacle}</p>`
    }`;
}
