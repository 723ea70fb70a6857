// What this member may record now, and why not the rest.
import { canRefer } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { navigate } from "../platform/route.js";
import { Icon } from "../platform/ui.js";
import { ReportDialog } from "./report_dialog.js";
import { buildStageReport, listFurtherReports } from "./reports.js";

/** Buttons that open a report's dialog. The server lists the nearest step first. */
function ReportButtons({ reports, choose, first = "" }) {
  return reports.map(
    (report, index) => html`<button type="button" class=${index === 0 ? first : ""} onClick=${() => choose(report)}>
      ${report.label}
    </button>`,
  );
}

/** Start a new referral from an ended one; nothing is saved before somebody says so. */
function ReferAgain({ referral, settle }) {
  const begin = async () => {
    try {
      const { startReferralFromEnded } = await import("./draft.js");
      if (startReferralFromEnded(referral)) navigate("#/new/patient");
      else settle("Another new referral is not saved yet. Save or discard it first.", true);
    } catch {
      settle("The form could not be loaded. Try again.", true);
    }
  };
  return html`<button type="button" class="primary" onClick=${begin}><${Icon} name="plus" />Refer again</button>`;
}

function CollapsedReports({ title, reports, choose }) {
  if (!reports.length) return null;
  return html`<details>
    <summary>${title}</summary>
    <div class="buttons"><${ReportButtons} reports=${reports} choose=${choose} /></div>
  </details>`;
}

export function NextActions({ referral, parts, settle }) {
  const [chosen, setChosen] = useState(/** @type {any} */ (null));
  const mine = referral.actions.filter((action) => action.allowed);
  const others = referral.actions.filter((action) => !action.allowed);
  const moves = (ends) =>
    mine.filter((action) => action.ends === ends).map((action) => buildStageReport(action, referral, parts));
  // What is done once more comes after what is next.
  const isNext = (report) => report.data.stage !== referral.stage;
  const onward = moves(false).sort((a, b) => Number(isNext(b)) - Number(isNext(a)));
  const ended = referral.phase === "closed";
  const mayGoOn = ended && canRefer() && !referral.continued_by && referral.stage !== "deceased";
  return html`<section class="actions" aria-label="What can be recorded now">
    ${mayGoOn && html`<${ReferAgain} referral=${referral} settle=${settle} />`}
    <${ReportButtons} reports=${onward} choose=${setChosen} first="primary" />
    ${!onward.length && !ended && html`<p class="small-text">The next step is not your team's.</p>`}
    <${CollapsedReports} title="Report something else" reports=${listFurtherReports(referral)} choose=${setChosen} />
    <${CollapsedReports} title="End the journey" reports=${moves(true)} choose=${setChosen} />
    ${
      others.length > 0 &&
      html`<details>
      <summary>Not yours to record now (${others.length})</summary>
      <ul>${others.map((action) => html`<li>${action.label}. <span class="small-text">${action.why_not}</span></li>`)}</ul>
    </details>`
    }
    ${chosen && html`<${ReportDialog} report=${chosen} referral=${referral} settle=${settle} onClose=${() => setChosen(null)} />`}
  </section>`;
}
