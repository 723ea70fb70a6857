// The actions that this member can take now, and the steps that the other organization records.
import { canRefer, me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { navigate } from "../platform/route.js";
import { useShortcuts } from "../platform/shortcuts.js";
import { Icon } from "../platform/ui.js";
import { getOwnerName, getPartnerName } from "./badges.js";
import { showOpenRequest } from "./information_requests.js";
import { ACCEPTED, AcceptAndOpenNext, DECLINED } from "./intake.js";
import { findPlace } from "./list_navigation.js";
import { ReportDialog } from "./report_dialog.js";
import { buildStageReport, listFurtherReports } from "./reports.js";
import { RequestInformationDialog } from "./request_dialog.js";

/** Buttons that open the dialog of a report. The server lists the nearest step first. */
function ReportButtons({ reports, choose, firstClass = "" }) {
  return reports.map(
    (
      report,
      index,
    ) => html`<button key=${report.label} type="button" class=${index === 0 ? firstClass : ""} onClick=${() => choose(report)}>
      ${report.label}
    </button>`,
  );
}

/** Start a new referral from a closed one. Nothing is saved until the user saves it. */
function ReferAgain({ referral, showResult }) {
  const start = async () => {
    try {
      const { startReferralFromClosed } = await import("./draft.js");
      if (startReferralFromClosed(referral)) navigate("#/new/patient");
      else showResult("You have an unsaved new referral. Save or discard it before you start another.", true);
    } catch {
      showResult("The form did not load. Check your connection, then try again.", true);
    }
  };
  return html`<button type="button" class="primary" onClick=${start}><${Icon} name="plus" />Start a new referral for this patient</button>`;
}

function CollapsedReports({ title, reports, choose }) {
  if (!reports.length) return null;
  return html`<details>
    <summary>${title}</summary>
    <div class="buttons"><${ReportButtons} reports=${reports} choose=${choose} /></div>
  </details>`;
}

function describeWaiting(referral) {
  const { owner } = referral.clock;
  if (owner === me.value.tenant.kind) return "No action is available to you now.";
  return `Waiting for ${getOwnerName(owner, referral)}.`;
}

/** The way to the open information request of the practice, further down the page. */
const AnswerRequest = ({ count }) =>
  html`<button type="button" class="primary" onClick=${showOpenRequest}>Answer the information request (${count} open)</button>`;

export function NextActions({ referral, doses, showResult }) {
  // `byKey`: a single key opened the dialog.
  const [chosen, setChosen] = useState(/** @type {{report: any, byKey: boolean} | null} */ (null));
  const [asking, setAsking] = useState(/** @type {{byKey: boolean} | null} */ (null));
  const choose = (report) => setChosen({ report, byKey: false });
  // The step that needs a note asks for information. That has its own dialog, at any open stage.
  const steps = referral.actions.filter(({ stage }) => stage);
  const allowed = steps.filter((action) => action.allowed && !action.needs.includes("note"));
  const others = steps.filter((action) => !action.allowed);
  const listStageReports = (ends) =>
    allowed.filter((action) => action.ends === ends).map((action) => buildStageReport(action, referral, doses));
  // A repeat of the current step comes after the next steps.
  const isNext = (report) => report.data.stage !== referral.stage;
  const nextSteps = listStageReports(false).sort((a, b) => Number(isNext(b)) - Number(isNext(a)));
  const mayAsk = referral.may_report.includes("information.requested");
  const closed = referral.phase === "closed";
  const toAnswer = canRefer() && !closed ? referral.requested_items : 0;
  const canReferAgain = closed && canRefer() && !referral.continued_by && referral.stage !== "deceased";
  const endings = listStageReports(true);
  const find = (reports, stage) => reports.find(({ data }) => data.stage === stage);
  const acceptance = find(nextSteps, ACCEPTED);
  const canOpenNext = acceptance && findPlace(referral.referral_id) >= 0;
  const openByKey = (report, does) => report && [does, () => setChosen({ report, byKey: true })];
  useShortcuts({
    ...(!canOpenNext && { a: openByKey(acceptance, "Accept this referral") }),
    i: mayAsk && ["Request information", () => setAsking({ byKey: true })],
    d: openByKey(find(endings, DECLINED), "Decline this referral"),
    r:
      toAnswer > 0
        ? ["Answer the information request", showOpenRequest]
        : openByKey(nextSteps[0], "Record the next action"),
  });
  return html`<section class="actions" aria-label="Actions">
    ${canReferAgain && html`<${ReferAgain} referral=${referral} showResult=${showResult} />`}
    ${toAnswer > 0 && html`<${AnswerRequest} count=${toAnswer} />`}
    ${canOpenNext && html`<${AcceptAndOpenNext} referral=${referral} showResult=${showResult} />`}
    <${ReportButtons} reports=${nextSteps} choose=${choose} firstClass=${toAnswer || canOpenNext ? "" : "primary"} />
    ${mayAsk && html`<button type="button" onClick=${() => setAsking({ byKey: false })}>Request information</button>`}
    ${!nextSteps.length && !mayAsk && !closed && !toAnswer && html`<p class="small-text">${describeWaiting(referral)}</p>`}
    <${CollapsedReports} title="More actions" reports=${listFurtherReports(referral)} choose=${choose} />
    <${CollapsedReports} title="Close this referral" reports=${endings} choose=${choose} />
    ${
      others.length > 0 &&
      html`<details>
      <summary>Steps ${getPartnerName(referral)} records (${others.length})</summary>
      <ul>${others.map((action) => html`<li>${action.label}</li>`)}</ul>
    </details>`
    }
    ${asking && html`<${RequestInformationDialog} referral=${referral} showResult=${showResult} onClose=${() => setAsking(null)} ...${asking} />`}
    ${chosen && html`<${ReportDialog} ...${chosen} referral=${referral} showResult=${showResult} onClose=${() => setChosen(null)} />`}
  </section>`;
}
