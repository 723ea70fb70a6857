// The frame around every view: header, emergency note, statements, and live region.
import { IdleWatch } from "../identity/idle.js";
import {
  canRefer,
  getFirstView,
  getTimeZone,
  hasClinicalAccess,
  hasSeveral,
  isAdmin,
  isCenterAdmin,
  isCenterCare,
  isOperator,
  me,
  mustChoose,
  unread,
} from "../identity/member.js";
import { session, signOut } from "../identity/session.js";
import { listNotices } from "../notices/notices_api.js";
import { html, useEffect, useRef } from "../platform/dom.js";
import { route } from "../platform/route.js";
import { isHelpOpen } from "../platform/shortcuts.js";
import { formatDay } from "../platform/time.js";
import { announcement, Icon, Problem, useLoad } from "../platform/ui.js";
import { disclaimers } from "./disclaimers.js";

const UNREAD_EVERY_MS = 120_000;

/** Views with entries that a key must not discard. */
const FORMS = ["form", "handback", "eligibility_check", "preferences", "consultation"];

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
  const { id, ...address } = route.value;
  const view = member && address.view === "worklist" ? getFirstView() : address.view;
  const navigation = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    // On a phone the menu scrolls sideways.
    const bar = navigation.current;
    const current = bar?.querySelector("[aria-current]");
    if (bar) bar.scrollLeft = current instanceof HTMLElement ? current.offsetLeft - 16 : 0;
  }, [view, member]);
  return html`<header class=${session.value && !member ? "app-header is-loading" : "app-header"}>
    <a class="brand" href="#/" aria-label="CAR T Referral Dashboard, go to your first page"><span class="logo"><${Icon} name="route" /></span>CAR T Referrals</a>
    ${
      member &&
      !mustChoose() &&
      html`<nav aria-label="Main" ref=${navigation}>
        ${hasClinicalAccess() && html`<${NavLink} href="#/" current=${view === "worklist"}>Worklist<//>`}
        <${NavLink} href="#/centers" current=${view === "centers" || view === "compare"}>Centers<//>
        ${isCenterCare() && html`<${NavLink} href="#/times" current=${view === "times"}>Consultation times<//>`}
        ${canRefer() && html`<${NavLink} href="#/new/patient" current=${view === "form" && !id}>New referral<//>`}
        ${canRefer() && html`<${NavLink} href="#/screen" current=${view === "eligibility_check"}>Eligibility check<//>`}
        <${NavLink} href="#/catalogue" current=${view === "products"}>Products<//>
        <${NavLink} href="#/resources" current=${view === "resources"}>Resources<//>
        ${hasClinicalAccess() && html`<${NavLink} href="#/insights" current=${view === "insights"}>Insights<//>`}
        ${isCenterAdmin() && html`<${NavLink} href="#/feed" current=${view === "connect"}>Connect your system<//>`}
        ${isOperator() && html`<${NavLink} href="#/operations" current=${view === "operations"}>Operations<//>`}
        ${isAdmin() && html`<${NavLink} href="#/members" current=${view === "members"}>People<//>`}
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

/** The statements, which stay in view at the bottom of every page: in full, or in short where there is little room. */
function Statements() {
  const { statements, statements_in_short: short, emergency_note: emergency } = disclaimers.value;
  return html`<aside class="statements" aria-label="Statements">
    <div class="in-full">${statements.map((statement) => html`<p>${statement}</p>`)}</div>
    <details class="in-short"><summary>${short} <span class="as-link">Full text</span></summary>
      ${[...statements, emergency].map((text) => html`<p>${text}</p>`)}
    </details>
  </aside>`;
}

/** The key listener. It loads after the first view; if loading fails, opening the list of shortcuts tries again. */
function Shortcuts() {
  const { data, problem } = useLoad(() => import("../platform/shortcut_keys.js"), [isHelpOpen.value]);
  const isInForm = FORMS.includes(route.value.view);
  if (data) return html`<${data.KeyListener} hasSearch=${hasClinicalAccess()} canRefer=${canRefer() && !isInForm} />`;
  return isHelpOpen.value && problem && html`<${Problem} problem=${problem} />`;
}

export function Shell({ children }) {
  const { emergency_note: emergency, emergency_note_in_short: short, texts } = disclaimers.value;
  return html`
    <a class="skip-link" href="#main" onClick=${skipToMain}>Skip to content</a>
    <${Header} />
    <aside class="emergency" aria-label="Emergencies"><${Icon} name="shield-alert" />
      <p class="in-full">${emergency}</p><p class="in-short">${short}</p>
    </aside>
    <main id="main"><${EmailProblem} />${children}</main>
    <footer class="about">
      <p>${texts.map((text) => html`<a href=${text.path} target="_blank" rel="noopener">${text.title}</a> `)}
        ${me.value && html`<button type="button" class="link-button" onClick=${() => (isHelpOpen.value = true)}>Keyboard shortcuts</button>`}</p>
      <p>An independent, open-source project. Product names belong to their owners, who do not endorse this project.</p>
    </footer>
    <${Statements} />
    <div class="visually-hidden" aria-live="polite">${announcement.value}</div>
    ${session.value && html`<${Shortcuts} />`}
    ${session.value && me.value && html`<${IdleWatch} minutes=${me.value.idle_minutes} />`}
  `;
}
