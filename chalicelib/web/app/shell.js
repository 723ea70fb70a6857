// The frame around every view: header, emergency note, statements, and live region.
import { IdleWatch } from "../identity/idle.js";
import {
  canRefer,
  getTimeZone,
  hasSeveral,
  isAdmin,
  isCenterAdmin,
  isCenterCare,
  me,
  mustChoose,
  unread,
} from "../identity/member.js";
import { session, signOut } from "../identity/session.js";
import { listNotices } from "../notices/notices_api.js";
import { html, useEffect } from "../platform/dom.js";
import { route } from "../platform/route.js";
import { formatDay } from "../platform/time.js";
import { announcement, Icon } from "../platform/ui.js";
import { disclaimers } from "./disclaimers.js";

const UNREAD_EVERY_MS = 120_000;

function NavLink({ href, current, children, ...rest }) {
  return html`<a href=${href} aria-current=${current ? "page" : undefined} ...${rest}>${children}</a>`;
}

function Bell() {
  useEffect(() => {
    const updateCount = async () => {
      if (document.hidden) return;
      // The count is a convenience. If it cannot be updated, everything else keeps working.
      const page = await listNotices(null, 1).catch(() => null);
      if (page) unread.value = page.unread;
    };
    const timer = setInterval(updateCount, UNREAD_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const count = unread.value;
  return html`<${NavLink} href="#/notices" class="bell" current=${["notices", "preferences"].includes(route.value.view)}
      aria-label=${count ? `Notices, ${count} unread` : "Notices"}>
    <${Icon} name="bell" />${count > 0 && html`<span class="unread-count">${count > 99 ? "99+" : count}</span>`}
  <//>`;
}

function Header() {
  const member = me.value;
  const { view, id } = route.value;
  return html`<header class="app-header">
    <a class="brand" href="#/" aria-label="CAR T Referral Dashboard, go to worklist"><span class="logo"><${Icon} name="route" /></span>CAR T Referrals</a>
    ${
      member &&
      !mustChoose() &&
      html`<nav aria-label="Main">
        <${NavLink} href="#/" current=${view === "worklist"}>Worklist<//>
        <${NavLink} href="#/centers" current=${view === "centers" || view === "compare"}>Centers<//>
        ${isCenterCare() && html`<${NavLink} href="#/times" current=${view === "times"}>Consultation times<//>`}
        ${canRefer() && html`<${NavLink} href="#/new/patient" current=${view === "form" && !id}>New referral<//>`}
        ${canRefer() && html`<${NavLink} href="#/screen" current=${view === "eligibility_check"}>Eligibility check<//>`}
        <${NavLink} href="#/catalogue" current=${view === "products"}>Products<//>
        <${NavLink} href="#/resources" current=${view === "resources"}>Resources<//>
        ${isCenterAdmin() && html`<${NavLink} href="#/feed" current=${view === "webhook_deliveries"}>System updates<//>`}
        ${isAdmin() && html`<${NavLink} href="#/audit" current=${view === "audit"}>Audit trail<//>`}
        ${hasSeveral() && html`<${NavLink} href="#/organizations" current=${view === "organizations"}>Switch organization<//>`}
        <${NavLink} href="#/account" current=${view === "account"}>Account<//>
      </nav>
      <${Bell} />
      <p class="signed-in-as"><strong>${member.name}</strong><span>${member.tenant.name}</span></p>`
    }
    ${
      member &&
      html`<button type="button" class="ghost-button" onClick=${() => signOut()}>
        <${Icon} name="log-out" /><span>Sign out</span>
      </button>`
    }
  </header>`;
}

const EMAIL_PROBLEM_LABELS = { bounced: "is bouncing", complained: "was marked as spam" };

/** A warning that the member gets no email. It is on every page, because an email cannot deliver it. */
function EmailProblem() {
  const { email, mail_problem: problem } = me.value || {};
  return (
    problem &&
    html`<p class="banner is-warning email-problem"><${Icon} name="circle-alert" /><span>
    Email to ${email} ${EMAIL_PROBLEM_LABELS[problem.reason]}, so we stopped sending it on ${formatDay(problem.since, getTimeZone())}. Check your notices here, and ask your administrator to update your address.
  </span></p>`
  );
}

function skipToMain(event) {
  event.preventDefault();
  document.querySelector("h1")?.focus();
}

export function Shell({ children }) {
  const { statements, emergency_note: emergency, texts } = disclaimers.value;
  return html`
    <a class="skip-link" href="#main" onClick=${skipToMain}>Skip to content</a>
    <${Header} />
    <aside class="emergency" aria-label="Emergencies"><${Icon} name="shield-alert" /><p>${emergency}</p></aside>
    <main id="main"><${EmailProblem} />${children}</main>
    <footer class="statements" aria-label="Statements">
      ${statements.map((statement) => html`<p>${statement}</p>`)}
      <p class="small-text">${texts.map((text) => html`<a href=${text.path} target="_blank" rel="noopener">${text.title}</a> `)}</p>
      <p class="small-text">An independent, open-source project. Product names belong to their owners, who do not endorse this project.</p>
    </footer>
    <div class="visually-hidden" aria-live="polite">${announcement.value}</div>
    ${session.value && me.value && html`<${IdleWatch} minutes=${me.value.idle_minutes} />`}
  `;
}
