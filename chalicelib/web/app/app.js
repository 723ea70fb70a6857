// The entry point: loads the statements, then the signed-in member, then the view in the address.
import { getFirstView, loadMe, me, mustChoose } from "../identity/member.js";
import { session, signOut } from "../identity/session.js";
import { SignIn } from "../identity/sign_in.js";
import { html, render } from "../platform/dom.js";
import { route } from "../platform/route.js";
import { Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { Worklist } from "../referrals/worklist.js";
import { disclaimers, loadDisclaimers } from "./disclaimers.js";
import { Shell } from "./shell.js";

// The style sheets of the lazy views. The order matters.
const LAZY_STYLES = [
  "platform/content.css",
  "referrals/referral.css",
  "referrals/form.css",
  "referrals/conversation.css",
  "documents/documents.css",
  "coverage/coverage.css",
  "centers/centers.css",
  "notices/notices.css",
  "webhooks/webhooks.css",
  "handback/handback.css",
  "eligibility/eligibility.css",
  "insights/insights.css",
];

// Views that load when they are first opened, and then stay loaded.
const LAZY_VIEWS = {
  account: async () => (await import("../identity/account.js")).Account,
  audit: async () => (await import("../audit/audit_trail.js")).AuditTrail,
  card: async () => (await import("../handback/emergency_card.js")).EmergencyCard,
  centers: () => loadWithRefer(async () => (await import("../centers/centers.js")).Centers),
  connect: async () => (await import("../webhooks/connect.js")).Connect,
  consultation: async () => (await import("../consultation/book.js")).BookConsultation,
  changes: async () => (await import("../referrals/changes.js")).Changes,
  compare: () => loadWithRefer(async () => (await import("../centers/compare.js")).Compare),
  eligibility_check: async () => (await import("../eligibility/eligibility_check.js")).EligibilityCheck,
  form: async () => (await import("../referrals/form.js")).FormView,
  handback: async () => (await import("../handback/handback_form.js")).HandbackForm,
  insights: async () => (await import("../insights/insights.js")).Insights,
  members: async () => (await import("../identity/members.js")).Members,
  notice_history: async () => (await import("../notices/notice_history.js")).NoticeHistory,
  notices: async () => (await import("../notices/notices.js")).Notices,
  operations: async () => (await import("../operations/operations.js")).Operations,
  organizations: async () => (await import("../identity/organizations.js")).Organizations,
  preferences: async () => (await import("../notices/preferences.js")).Preferences,
  products: async () => (await import("../eligibility/catalog.js")).Catalog,
  resources: async () => (await import("../centers/resources.js")).Resources,
  times: async () => (await import("../consultation/times.js")).ConsultationTimes,
  referral: async () => (await import("./referral_page.js")).ReferralPage,
};
const loadedViews = {};

/** A view of the centers package, with the function that starts a referral to a center. */
async function loadWithRefer(loadCenters) {
  const [View, { startReferralToCenter }] = await Promise.all([loadCenters(), import("../referrals/draft.js")]);
  return (properties) => html`<${View} ...${properties} refer=${startReferralToCenter} />`;
}

/** @type {Promise<unknown> | null} */
let styles = null;

/** Insert a style sheet before the print style sheet, which must come last. */
function loadStyle(path) {
  return new Promise((resolve, reject) => {
    const href = new URL(`../${path}`, import.meta.url).href;
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: resolve });
    link.onerror = () => {
      link.remove();
      reject(new Error("Part of the page did not load. Reload the page."));
    };
    document.querySelector('link[media="print"]')?.before(link);
  });
}

/** Load all of them together, so that a page has the same layout regardless of which page was open before. */
function loadStyles() {
  styles ??= Promise.all(LAZY_STYLES.map(loadStyle)).catch((problem) => {
    styles = null;
    throw problem;
  });
  return styles;
}

async function loadView(view) {
  const [component] = await Promise.all([LAZY_VIEWS[view](), loadStyles()]);
  loadedViews[view] = component;
  return component;
}

function LazyView({ view, ...rest }) {
  const { problem, reload } = useLoad(async () => loadedViews[view] ?? loadView(view), [view]);
  if (loadedViews[view]) return html`<${loadedViews[view]} ...${rest} />`;
  if (problem)
    return html`<${Problem} problem=${problem} retry=${reload}>This page did not load. Check your connection, then try again.<//>`;
  return html`<${Loading} what="the page" />`;
}

const PageNotFound = () => html`<${PageTitle} page="Page not found">Page not found<//>
  <p><a href="#/">Go to your first page</a></p>`;

function View() {
  const { id, list, query, step, ...address } = route.value;
  // Without patients, there is no worklist.
  const view = address.view === "worklist" ? getFirstView() : address.view;
  if (view === "worklist") return html`<${Worklist} list=${list} query=${query} />`;
  if (view === "form") return html`<${LazyView} view="form" id=${id} step=${step} />`;
  if (view in LAZY_VIEWS) return html`<${LazyView} key=${id} view=${view} id=${id} />`;
  return html`<${PageNotFound} />`;
}

function SignedIn() {
  const { problem, busy, reload } = useLoad(loadMe, [session.value?.since]);
  if (me.value) return mustChoose() ? html`<${LazyView} view="organizations" />` : html`<${View} />`;
  if (!problem || busy) return html`<${Loading} what="your worklist" />`;
  return html`<${PageTitle} page="Account">Your account did not load<//>
    <${Problem} problem=${problem} retry=${reload} />
    <p><button type="button" onClick=${() => signOut()}>Sign out</button></p>`;
}

function App() {
  const { problem, busy, reload } = useLoad(loadDisclaimers, []);
  // The dashboard shows nothing before the statements are loaded, so every page has them.
  if (!disclaimers.value) {
    return problem && !busy
      ? html`<main>
          <h1>The dashboard did not load</h1>
          <${Problem} problem=${problem} retry=${reload} />
          <p>Not for emergencies. Call 911 or the treatment center's 24/7 line.</p>
        </main>`
      : html`<main><${Loading} what="the dashboard" /></main>`;
  }
  return html`<${Shell}>${session.value ? html`<${SignedIn} />` : html`<${SignIn} notice=${disclaimers.value.sign_in_notice} />`}<//>`;
}

const root = document.getElementById("app");
root?.replaceChildren();
if (root) render(html`<${App} />`, root);
