// The follow-up dates after an infusion, as a file, and as a calendar that a calendar app subscribes to.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { keepFocus } from "../platform/focus.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { saveFile } from "../platform/save_file.js";
import { formatDate, formatDay, formatWallClock } from "../platform/time.js";
import { announce, Problem, useLoad } from "../platform/ui.js";
import { createCalendar, endCalendar, getCalendar, getFollowUp, getFollowUpFile } from "./handback_api.js";

const DATES_SHOWN = 6;

function FollowUpDates({ items, today }) {
  return html`<ol class="follow-up-dates">
    ${items.map(
      ({ key, date, label, source }) => html`<li key=${key} class=${date < today ? "passed" : ""}>
      <time class="tabular-numbers" datetime=${date}>${formatDate(date)}</time>
      <span>${label}<span class="subtext">${source}</span></span>
    </li>`,
    )}
  </ol>`;
}

/** The member's own calendar link. It is secret and shown once. The member can replace it or turn it off. */
function CalendarLink() {
  const { data, problem, reload } = useLoad(getCalendar, []);
  const [url, setUrl] = useState("");
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const request = useIdempotentRequest((_, key) => createCalendar(key));
  const run = async (work, message) => {
    try {
      setUrl(await work());
      setFailed(null);
      announce(message);
      await reload();
      // A link that was turned off has no button to turn it off.
      keepFocus(".calendar-feed-address button");
    } catch (problem) {
      setFailed(problem);
    }
  };
  const create = () => run(async () => (await request.run(null)).url, "Calendar link created");
  const turnOff = () =>
    run(async () => {
      await endCalendar();
      return "";
    }, "Calendar link turned off");
  const copy = () =>
    navigator.clipboard.writeText(url).then(
      () => announce("Copied"),
      () => {},
    );
  const active = data?.active;
  return html`<details>
    <summary>Subscribe from your calendar app</summary>
    <div class="stack calendar-feed-address">
      <p class="small-text">One link covers the planned dates of all your patients, and the follow-up dates of those who are back with the practice. Entries show only an alias and the type of date. Anyone who has the link can see the calendar, so do not share it.</p>
      ${(problem || failed) && html`<${Problem} problem=${problem || failed} retry=${problem ? reload : null} />`}
      ${url && html`<p class="banner is-success"><span class="tabular-numbers calendar-address">${url}</span></p>`}
      ${active && !url && html`<p class="small-text tabular-numbers">Your calendar link has been active since ${formatDay(data.made_at, getTimeZone())}. For security, the link is shown only once. Create a new one if you lost it.</p>`}
      <div class="buttons">
        ${url && html`<button type="button" onClick=${copy}>Copy link</button>`}
        <button type="button" onClick=${create}>${active ? "Create a new link" : "Create link"}</button>
        ${active && html`<button type="button" onClick=${turnOff}>Turn off link</button>`}
      </div>
    </div>
  </details>`;
}

export function FollowUp({ referral }) {
  const id = referral.referral_id;
  const { data, problem, reload } = useLoad(() => getFollowUp(id), [referral.version]);
  if (!data)
    return (
      problem &&
      html`<section class="card"><h2>Follow-up calendar</h2><${Problem} problem=${problem} retry=${reload} /></section>`
    );
  const today = formatWallClock(Date.now(), data.time_zone).slice(0, 10);
  const ahead = data.items.filter(({ date }) => date >= today);
  const past = data.items.filter(({ date }) => date < today);
  return html`<section class="card" aria-labelledby="follow-up">
    <div class="card-head"><h2 id="follow-up">Follow-up calendar</h2><span class="chip">${ahead.length} upcoming</span></div>
    <p class="small-text tabular-numbers">Dates count from the infusion on ${formatDate(data.infused_on)}, in the center's calendar.</p>
    <${FollowUpDates} items=${ahead.slice(0, DATES_SHOWN)} today=${today} />
    ${ahead.length > DATES_SHOWN && html`<details><summary>Later (${ahead.length - DATES_SHOWN})</summary><${FollowUpDates} items=${ahead.slice(DATES_SHOWN)} today=${today} /></details>`}
    ${past.length > 0 && html`<details><summary>Past (${past.length})</summary><${FollowUpDates} items=${past} today=${today} /></details>`}
    <${CalendarFile} id=${id} />
  </section>`;
}

/** The planned dates before an infusion, for the reader's own calendar. */
export function PlannedCalendar({ referral }) {
  return html`<details>
    <summary>Add to your calendar</summary>
    <p class="small-text">The planned dates of this referral as calendar entries. They show the alias and "Appointment" or "Delivery".</p>
    <${CalendarFile} id=${referral.referral_id} />
  </details>`;
}

/** The button that downloads the dates of one referral, and the link for all. */
function CalendarFile({ id }) {
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const download = async () => {
    try {
      saveFile(new Blob([await getFollowUpFile(id)], { type: "text/calendar" }), "follow-up.ics");
      setFailed(null);
    } catch (problem) {
      setFailed(problem);
    }
  };
  return html`
    ${failed && html`<${Problem} problem=${failed} retry=${download} />`}
    <div class="buttons"><button type="button" onClick=${download}>Download calendar file (.ics)</button></div>
    <${CalendarLink} />`;
}
