// One referral: where it is, since when, who acts next, and everything behind that.
import { listProducts } from "../centers/centers_api.js";
import { FollowUp } from "../handback/follow_up.js";
import { Handback } from "../handback/handback.js";
import { canRefer, getTimeZone, isPractice } from "../identity/member.js";
import { html, useEffect, useState } from "../platform/dom.js";
import { formatFullName, formatPhone, getLabel } from "../platform/labels.js";
import { buildFormHref, buildPageHref } from "../platform/route.js";
import { computeYears, formatDate, formatTime, formatWallClock } from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, Problem, useLoad, useOnTabFocus } from "../platform/ui.js";
import { NextActions } from "../referrals/actions.js";
import { NextActionBadge } from "../referrals/badges.js";
import { Journey } from "../referrals/journey.js";
import { MonitoringWindow } from "../referrals/monitoring_window.js";
import { Clinical, Consent, Coverage, Packet, Patient, Provider } from "../referrals/referral_sections.js";
import { getReferral, markViewed } from "../referrals/referrals_api.js";
import { StatusBanners } from "../referrals/status_banner.js";
import { Timeline } from "../referrals/timeline.js";
import { StageSince } from "../referrals/turnaround.js";

function StatusCell({ title, children }) {
  return html`<div><h2>${title}</h2>${children}</div>`;
}

function NextStep({ referral }) {
  const { owner } = referral.clock;
  const team = { center: referral.center?.name, practice: referral.practice.name }[owner];
  return html`<p class="large-text"><${NextActionBadge} owner=${owner} /></p>
    <p class="small-text">${team || "The journey has ended."}</p>`;
}

function CenterLines({ center }) {
  if (!center) return html`<p class="large-text">Not chosen yet</p>`;
  const line = (label, number) =>
    number &&
    html`<p class="small-text tabular-numbers">${label} <a href="tel:${number}">${formatPhone(number)}</a></p>`;
  return html`<p class="large-text">${center.name}</p>
    ${line("Intake", center.intake_phone)} ${line("After hours", center.after_hours_phone)}`;
}

function StatusSummary({ referral }) {
  const leg = referral.journey.find(({ phase }) => phase === referral.phase);
  return html`<section class="status-summary card" aria-label="Where it stands">
    <${StatusCell} title="Where">
      <p class="large-text">${referral.stage_label}</p>
      <p class="small-text">${leg?.label}</p>
    <//>
    <${StatusCell} title="Since"><${StageSince} clock=${referral.clock} /><//>
    <${StatusCell} title="Acts next"><${NextStep} referral=${referral} /><//>
    ${
      isPractice()
        ? html`<${StatusCell} title="Treatment center"><${CenterLines} center=${referral.center} /><//>`
        : html`<${StatusCell} title="Referring practice">
          <p class="large-text">${referral.practice.name}</p>
          <p class="small-text tabular-numbers">${referral.referring_provider?.name} <span>${formatPhone(referral.referring_provider?.phone)}</span></p>
        <//>`
    }
  </section>`;
}

function ReferralHeader({ referral }) {
  const { patient } = referral;
  const today = formatWallClock(Date.now(), getTimeZone()).slice(0, 10);
  const born =
    patient.birth_date && `born ${formatDate(patient.birth_date)} (${computeYears(patient.birth_date, today)} y)`;
  const line = [patient.alias, born, getLabel(patient.sex), patient.mrn && `MRN ${patient.mrn}`];
  return html`<p class="back-link"><a href="#/"><${Icon} name="arrow-left" />Worklist</a></p>
    <div class="title-row">
      <div>
        <${PageTitle} page="Referral">${formatFullName(patient)}
          ${referral.urgency !== "routine" && html` <span class="chip urgent">${getLabel(referral.urgency)}</span>`}
        <//>
        <p class="small-text tabular-numbers">${line.filter(Boolean).join(" · ")}</p>
        <p class="small-text tabular-numbers on-paper">As of ${formatTime(new Date().toISOString(), getTimeZone())}</p>
      </div>
      <span class="spacer" />
      <a class="button" href=${buildPageHref(referral.referral_id, "notices")}><${Icon} name="bell" />Notices</a>
      <button type="button" onClick=${() => print()}><${Icon} name="printer" />Print</button>
      ${
        isEditable(referral) &&
        html`<a class="button" href=${buildFormHref(referral.referral_id, "patient")}><${Icon} name="pencil" />Edit</a>`
      }
    </div>`;
}

// The API lets a practice change what it wrote while the next move is its own, before acceptance.
const isEditable = (referral) => canRefer() && ["draft", "info_requested"].includes(referral.stage);

const SAFETY_KINDS = { program: "program line", adverse_event: "adverse event line" };

/** Where to report harm from the therapy: the FDA, and the maker where its line is known. */
function SafetyReporting({ product }) {
  const { medwatch, maker } = product.safety_line;
  return html`<section class="card" aria-labelledby="safety">
    <h2 id="safety">Suspected adverse reaction</h2>
    <p>Report it to <a href=${medwatch.url} rel="noreferrer">${medwatch.name}</a>, <span class="tabular-numbers">${medwatch.phone}</span>${
      maker?.phone &&
      html`, and to ${product.maker}, <span class="tabular-numbers">${maker.phone}</span>${SAFETY_KINDS[maker.kind] && ` (${SAFETY_KINDS[maker.kind]})`}`
    }.</p>
    <p class="small-text">A new cancer after CAR T is reported the same way, for life.</p>
  </section>`;
}

/** What changed between what was on the screen and what the server says now. */
function describeChanges(before, after) {
  if (before.stage !== after.stage) return `It now stands at "${after.stage_label}", not at "${before.stage_label}".`;
  return before.version === after.version ? "" : "Its details were changed meanwhile.";
}

export function ReferralPage({ id }) {
  const { data, problem, reload } = useLoad(() => getReferral(id), []);
  const [flash, setFlash] = useState(/** @type {any} */ (null));
  useOnTabFocus(reload);
  const products = useLoad(listProducts, []);
  const referral = data?.data;
  useEffect(() => {
    // Nobody looks at a hidden tab; and a look that gets lost makes it news once more.
    if (referral?.changed_since_seen && !document.hidden) markViewed(id, data?.etag ?? null).catch(() => {});
  }, [referral]);
  const product = products.data?.find((each) => each.product_id === referral?.product_id);

  /** After an action: say what became of it, then show the referral as the server has it. */
  const settle = async (text, refused) => {
    setFlash({ text, refused, before: refused ? referral : null });
    announce(text);
    await reload();
  };

  if (!referral) {
    return problem
      ? html`<${PageTitle} page="Referral">Referral<//><${Problem} problem=${problem} retry=${reload} />`
      : html`<${Loading} what="the referral" />`;
  }
  return html`<${ReferralHeader} referral=${referral} />
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${
      flash &&
      html`<p class=${flash.refused ? "banner is-warning" : "banner is-success"} role="status">
      ${flash.text} ${flash.before && describeChanges(flash.before, referral)}
    </p>`
    }
    <${StatusSummary} referral=${referral} />
    <${StatusBanners} referral=${referral} />
    <${NextActions} referral=${referral} parts=${product?.infusion_parts ?? 1} settle=${settle} />
    <${Journey} legs=${referral.journey} />
    <div class="columns">
      <div>
        ${referral.window && html`<${Handback} referral=${referral} /><${MonitoringWindow} window=${referral.window} id=${id} />`}
        ${referral.window && html`<${FollowUp} referral=${referral} />`}
        <${Timeline} referral=${referral} settle=${settle} />
        ${product && html`<${SafetyReporting} product=${product} />`}
      </div>
      <div>
        ${!referral.packet.complete && html`<${Packet} packet=${referral.packet} id=${isEditable(referral) && id} />`}
        <${Patient} value=${referral.patient} />
        <${Clinical} value=${referral.clinical} product=${referral.product_id} note=${referral.note} />
        <${Coverage} value=${referral.insurance} />
        <${Provider} value=${referral.referring_provider} practice=${referral.practice.name} />
        <${Consent} value=${referral.consent_to_share} />
      </div>
    </div>`;
}
