// The page of one referral: its status, time in status, next action, and details.
import { listProducts } from "../centers/centers_api.js";
import { ConsultationCard } from "../consultation/consultation_card.js";
import { CoverageCard } from "../coverage/coverage_card.js";
import { Documents } from "../documents/documents.js";
import { FollowUp, PlannedCalendar } from "../handback/follow_up.js";
import { Handback } from "../handback/handback.js";
import { canRefer, getTimeZone, isPractice } from "../identity/member.js";
import { html, useEffect, useLayoutEffect, useState } from "../platform/dom.js";
import { keepFocus } from "../platform/focus.js";
import { formatFullName, getLabel } from "../platform/labels.js";
import { buildFormHref, buildPageHref } from "../platform/route.js";
import { formatAge, formatBirthDate, formatDate, formatTime, formatWallClock } from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, PhoneLink, Problem, useLoad, useOnTabFocus } from "../platform/ui.js";
import { NextActions } from "../referrals/actions.js";
import { NextActionBadge } from "../referrals/badges.js";
import { CallStrip } from "../referrals/call_strip.js";
import { DatesAhead } from "../referrals/dates_ahead.js";
import { DuplicateHint } from "../referrals/duplicates.js";
import { FactDialog } from "../referrals/fact_dialog.js";
import { InformationRequests } from "../referrals/information_requests.js";
import { ListNavigation } from "../referrals/list_navigation.js";
import { Messages } from "../referrals/messages.js";
import { MonitoringWindow } from "../referrals/monitoring_window.js";
import { PacketDownload } from "../referrals/packet_download.js";
import { Progress } from "../referrals/progress.js";
import {
  CenterContact,
  Clinical,
  Consent,
  Coverage,
  NoneAnswers,
  Packet,
  Patient,
  Provider,
} from "../referrals/referral_sections.js";
import { getReferral, markViewed } from "../referrals/referrals_api.js";
import { RoutingHints } from "../referrals/routing_hints.js";
import { StatusBanners } from "../referrals/status_banner.js";
import { Timeline } from "../referrals/timeline.js";
import { StageSince } from "../referrals/turnaround.js";
import { dropNote, openingNote } from "../referrals/worklist.js";

function StatusCell({ title, children }) {
  return html`<div><h2>${title}</h2>${children}</div>`;
}

function NextStep({ referral }) {
  const { owner } = referral.clock;
  return html`<p class="large-text"><${NextActionBadge} owner=${owner} referral=${referral} /></p>
    ${owner === "none" && html`<p class="small-text">This referral is closed.</p>`}`;
}

/** What comes next: whose action, since when, until when, and the buttons to record it. */
function NextAction({ referral, children }) {
  const current = referral.journey.find(({ phase }) => phase === referral.phase);
  return html`<section class="card no-padding" aria-label="Referral status">
    <div class="status-summary">
      <${StatusCell} title="Next action"><${NextStep} referral=${referral} /><//>
      <${StatusCell} title="Status">
        <p class="large-text">${referral.stage_label}</p>
        <p class="small-text">${current?.label}</p>
      <//>
      <${StatusCell} title="Time in status"><${StageSince} clock=${referral.clock} /><//>
      <${StatusCell} title=${isPractice() ? "Treatment center" : "Referring practice"}>
        <p class="large-text">${isPractice() ? (referral.center?.name ?? "Center not chosen") : referral.practice.name}</p>
      <//>
    </div>
    ${children}
  </section>`;
}

function ReferralHeader({ referral }) {
  const { patient } = referral;
  const today = formatWallClock(Date.now(), getTimeZone()).slice(0, 10);
  const birth =
    patient.birth_date && `DOB ${formatBirthDate(patient.birth_date)} (age ${formatAge(patient.birth_date, today)})`;
  const line = [
    patient.alias,
    birth,
    getLabel(patient.sex),
    patient.mrn && `MRN ${patient.mrn}`,
    referral.referred_on && `Referred on ${formatDate(referral.referred_on)}`,
  ];
  return html`<${ListNavigation} id=${referral.referral_id} />
    <div class="title-row">
      <div>
        <${PageTitle} page="Referral">${formatFullName(patient)}
          ${referral.urgency !== "routine" && html` <span class="chip urgent">${getLabel(referral.urgency)}</span>`}
        <//>
        <p class="small-text tabular-numbers">${line.filter(Boolean).join(" · ")}</p>
        <p class="small-text tabular-numbers on-paper">As of ${formatTime(new Date().toISOString(), getTimeZone())}</p>
      </div>
      <span class="spacer" />
      ${referral.submitted_at && html`<a class="button" href=${buildPageHref(referral.referral_id, "changes")}><${Icon} name="history" />Changes</a>`}
      <a class="button" href=${buildPageHref(referral.referral_id, "notices")}><${Icon} name="bell" />Notices</a>
      <button type="button" onClick=${() => print()}><${Icon} name="printer" />Print</button>
      ${
        isEditable(referral) &&
        html`<a class="button" href=${buildFormHref(referral.referral_id, "patient")}><${Icon} name="pencil" />Edit</a>`
      }
    </div>`;
}

// The API lets a practice edit a referral while the next action is its own, before acceptance.
const isEditable = (referral) => canRefer() && ["draft", "info_requested"].includes(referral.stage);

const SAFETY_LINE_LABELS = { program: "support program line", adverse_event: "adverse event reporting line" };

/** Where to report adverse events: to the FDA, and to the manufacturer if its phone number is known. */
function SafetyReporting({ product }) {
  const { medwatch, maker } = product.safety_line;
  const kind = SAFETY_LINE_LABELS[maker?.kind];
  return html`<section class="card" aria-labelledby="safety">
    <h2 id="safety">Report an adverse event</h2>
    <p>Report suspected adverse events to <a href=${medwatch.url} rel="noreferrer">${medwatch.name}</a>, <${PhoneLink} number=${medwatch.phone} />${
      maker?.phone && html`, and to ${product.maker}, <${PhoneLink} number=${maker.phone} />${kind && ` (${kind})`}`
    }.</p>
    <p class="small-text">Also report any new cancer after CAR T, at any time in the patient's life.</p>
  </section>`;
}

/** After the infusion: the window, and what returns with the patient. The summary is first as soon as it is sent. */
function Care({ referral }) {
  const summary = html`<${Handback} referral=${referral} />`;
  const isReturning = ["follow_up", "closed"].includes(referral.phase);
  return html`${isReturning && summary}
    <${MonitoringWindow} window=${referral.window} referral=${referral} />
    <div class="columns">
      <div>${referral.stage !== "deceased" && html`<${FollowUp} referral=${referral} />`}</div>
      <div>${!isReturning && summary}</div>
    </div>`;
}

/** What both teams arrange for the patient, and what they write to each other. */
function Arrangements({ referral, showResult, reload }) {
  return html`<div class="columns">
      <div><${CoverageCard} referral=${referral} onSaved=${reload} /></div>
      <div>
        <${ConsultationCard} referral=${referral} showResult=${showResult} />
        <${InformationRequests} referral=${referral} showResult=${showResult} />
        <${Messages} referral=${referral} onSent=${reload} />
      </div>
    </div>`;
}

/** What changed between the referral that was on the page and the current one. */
function describeChanges(before, after) {
  if (before.stage !== after.stage) return `The status is now “${after.stage_label}.” It was “${before.stage_label}.”`;
  return before.version === after.version ? "" : "Someone changed the details while you were on this page.";
}

export function ReferralPage({ id }) {
  const { data, problem, reload } = useLoad(() => getReferral(id), []);
  const [flash, setFlash] = useState(/** @type {any} */ (null));
  const [editing, setEditing] = useState("");
  const opening = openingNote.value;
  const note = opening && opening.at === id ? opening.banner : null;
  useEffect(() => () => dropNote(id), []);
  useOnTabFocus(reload);
  const products = useLoad(listProducts, []);
  const referral = data?.data;
  useEffect(() => {
    // No one reads a hidden tab. If this request is lost, the referral stays marked as unread.
    if (referral?.changed_since_seen && !document.hidden) markViewed(id, data?.etag ?? null).catch(() => {});
  }, [referral]);
  // The button of an action that was taken can be gone. The result is below the heading.
  useLayoutEffect(() => void (flash && keepFocus()), [flash]);
  const product = products.data?.find(({ product_id: known }) => known === referral?.product.current);

  /** After an action: reload the referral, then show the result. Without a message, name the new status. */
  const showResult = async (message, failed) => {
    const before = failed ? referral : null;
    const current = (await reload())?.data;
    const text = message ?? (current ? `Status updated to “${current.stage_label}.”` : "Saved.");
    setFlash({ text, failed, before });
    announce(text);
  };

  // A draft is edited in its form. After submission, each section has its own dialog.
  const edit = (section) =>
    referral?.submitted_at && referral.can_change.includes(section) && (() => setEditing(section));

  if (!referral) {
    return problem
      ? html`<${PageTitle} page="Referral">Referral<//>${note}<${Problem} problem=${problem} retry=${reload} />`
      : html`<${Loading} what="the referral" />`;
  }
  return html`<${ReferralHeader} referral=${referral} />
    ${note}
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${
      flash &&
      html`<p class=${flash.failed ? "banner is-warning" : "banner is-success"} role="status">
      ${flash.text} ${flash.before && describeChanges(flash.before, referral)}
    </p>`
    }
    <${CallStrip} referral=${referral} editPatient=${edit("patient")} />
    <${StatusBanners} referral=${referral} />
    <${RoutingHints} hints=${referral.routing_hints} title="Check the routing of this referral" />
    <${DuplicateHint} referral=${referral} />
    <div class="columns">
      <${NextAction} referral=${referral}>
        <${NextActions} referral=${referral} doses=${product?.infusion_parts ?? 1} showResult=${showResult} />
      <//>
      <${DatesAhead} referral=${referral}>
        ${!referral.window && referral.plans.some(({ open }) => open) && html`<${PlannedCalendar} referral=${referral} />`}
      <//>
    </div>
    ${referral.window && html`<${Care} referral=${referral} />`}
    ${referral.submitted_at && html`<${Arrangements} referral=${referral} showResult=${showResult} reload=${reload} />`}
    <div class="columns">
      <div>${referral.submitted_at && html`<${Documents} referral=${referral} showResult=${showResult} />`}</div>
      <div>
        ${!referral.packet.complete && html`<${Packet} packet=${referral.packet} id=${isEditable(referral) && id} />`}
        <${PacketDownload} id=${id} />
      </div>
    </div>
    <${Progress} phases=${referral.journey} />
    <div class="columns">
      <div>
        <${Timeline} referral=${referral} showResult=${showResult} />
        ${product && html`<${SafetyReporting} product=${product} />`}
      </div>
      <div class="record">
        <${Patient} value=${referral.patient} edit=${edit("patient")} />
        <${Clinical} value=${referral.clinical} product=${referral.product_id} named=${referral.product} note=${referral.note} edit=${edit("clinical")} />
        <${Coverage} value=${referral.insurance} edit=${edit("insurance")} />
        <${NoneAnswers} answers=${referral.packet.none_because} />
        <${Provider} value=${referral.referring_provider} practice=${referral.practice.name} edit=${edit("referring_provider")} />
        ${referral.submitted_at && html`<${CenterContact} value=${referral.center_contact} center=${referral.center} edit=${edit("center_contact")} />`}
        <${Consent} value=${referral.consent_to_share} state=${referral.consent_state} edit=${edit("consent_to_share")} />
        ${
          editing &&
          html`<${FactDialog} section=${editing} referral=${referral} etag=${data?.etag} showResult=${showResult} onClose=${() => setEditing("")} />`
        }
      </div>
    </div>`;
}
