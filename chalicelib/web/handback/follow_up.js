// The dated days after an infusion, as a file, and as a feed that a calendar program fetches.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { useIdempotentRequest } from "../platform/idempotent_request.js";
import { formatDate, formatDay, formatWallClock } from "../platform/time.js";
import { announce, Problem, useLoad } from "../platform/ui.js";
import { createCalendar, endCalendar, getCalendar, getFollowUp, getFollowUpFile } from "./handback_api.js";

const DATES_SHOWN = 6;

/** Hand text to the browser as a file. */
function downloadFile(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/calendar" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

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

/** The secret address of one's own feed: shown once, made anew or ended at any time. */
function CalendarFeed() {
  const { data, problem, reload } = useLoad(getCalendar, []);
  const [url, setUrl] = useState("");
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const request = useIdempotentRequest((_, key) => createCalendar(key));
  const run = async (work, done) => {
    try {
      setUrl(await work());
      setFailed(null);
      announce(done);
      await reload();
    } catch (refusal) {
      setFailed(refusal);
    }
  };
  const make = () => run(async () => (await request.run(null)).url, "The address was made");
  const end = () =>
    run(async () => {
      await endCalendar();
      return "";
    }, "The feed has ended");
  const copy = () =>
    navigator.clipboard.writeText(url).then(
      () => announce("Copied"),
      () => {},
    );
  const active = data?.active;
  return html`<details>
    <summary>Subscribe in a calendar program</summary>
    <div class="stack calendar-feed-address">
      <p class="small-text">One address for all patients who are back with their practice. It says nicknames and kinds of days, never why. Whoever has the address can read it: keep it to yourself.</p>
      ${(problem || failed) && html`<${Problem} problem=${problem || failed} retry=${problem ? reload : null} />`}
      ${url && html`<p class="banner is-success"><span class="tabular-numbers calendar-address">${url}</span></p>`}
      ${active && !url && html`<p class="small-text tabular-numbers">Your feed is on since ${formatDay(data.made_at, getTimeZone())}. Its address was shown when it was made.</p>`}
      <div class="buttons">
        ${url && html`<button type="button" onClick=${copy}>Copy the address</button>`}
        <button type="button" onClick=${make}>${active ? "Make a new address" : "Make an address"}</button>
        ${active && html`<button type="button" onClick=${end}>End the feed</button>`}
      </div>
    </div>
  </details>`;
}

export function FollowUp({ referral }) {
  const id = referral.referral_id;
  const { data, problem, reload } = useLoad(() => getFollowUp(id), [referral.version]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  if (!data)
    return (
      problem &&
      html`<section class="card"><h2>Follow-up</h2><${Problem} problem=${problem} retry=${reload} /></section>`
    );
  const today = formatWallClock(Date.now(), data.time_zone).slice(0, 10);
  const ahead = data.items.filter(({ date }) => date >= today);
  const past = data.items.filter(({ date }) => date < today);
  const download = async () => {
    try {
      downloadFile(await getFollowUpFile(id), "follow-up.ics");
      setFailed(null);
    } catch (problem) {
      setFailed(problem);
    }
  };
  return html`<section class="card" aria-labelledby="follow-up">
    <div class="card-head"><h2 id="follow-up">Follow-up calendar</h2><span class="chip">${ahead.length} to come</span></div>
    <p class="small-text tabular-numbers">Counted from the infusion on ${formatDate(data.infused_on)}, in the center's calendar.</p>
    <${FollowUpDates} items=${ahead.slice(0, DATES_SHOWN)} today=${today} />
    ${ahead.length > DATES_SHOWN && html`<details><summary>Later (${ahead.length - DATES_SHOWN})</summary><${FollowUpDates} items=${ahead.slice(DATES_SHOWN)} today=${today} /></details>`}
    ${past.length > 0 && html`<details><summary>Passed (${past.length})</summary><${FollowUpDates} items=${past} today=${today} /></details>`}
    ${failed && html`<${Problem} problem=${failed} retry=${download} />`}
    <div class="buttons"><button type="button" onClick=${download}>Download as a file</button></div>
    <${CalendarFeed} />
  </section>`;
}
