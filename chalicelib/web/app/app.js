// The page: the statements first, then who you are, then the view that the address names.
import { loadMe, me } from "../identity/member.js";
import { session, signOut } from "../identity/session.js";
import { SignIn } from "../identity/sign_in.js";
import { html, render } from "../platform/dom.js";
import { route } from "../platform/route.js";
import { Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { Worklist } from "../referrals/worklist.js";
import { disclaimers, loadDisclaimers } from "./disclaimers.js";
import { Shell } from "./shell.js";

// The style sheets of those views, in this order.
const LAZY_STYLES = [
  "platform/content.css",
  "referrals/referral.css",
  "centers/centers.css",
  "notices/notices.css",
  "webhooks/webhooks.css",
  "handback/handback.css",
  "eligibility/eligibility.css",
];

// Views that are fetched when they are first wanted, and kept.
const LAZY_VIEWS = {
  catalogue: async () => (await import("../eligibility/catalog.js")).Catalog,
  card: async () => (await import("../handback/emergency_card.js")).EmergencyCard,
  centers: () => loadWithRefer(async () => (await import("../centers/centers.js")).Centers),
  compare: () => loadWithRefer(async () => (await import("../centers/compare.js")).Compare),
  feed: async () => (await import("../webhooks/webhook_deliveries.js")).WebhookDeliveries,
  form: async () => (await import("../referrals/form.js")).FormView,
  handback: async () => (await import("../handback/handback_form.js")).HandbackForm,
  notices: async () => (await import("../notices/notices.js")).Notices,
  preferences: async () => (await import("../notices/preferences.js")).Preferences,
  resources: async () => (await import("../centers/resources.js")).Resources,
  referral: async () => (await import("./referral_page.js")).ReferralPage,
  screen: async () => (await import("../eligibility/eligibility_check.js")).EligibilityCheck,
  notice_history: async () => (await import("../notices/notice_history.js")).NoticeHistory,
};
const loadedViews = {};

/** A view of centers, with the function that starts a referral to one of them. */
async function loadWithRefer(loadCenters) {
  const [View, { startReferralToCenter }] = await Promise.all([loadCenters(), import("../referrals/draft.js")]);
  return (properties) => html`<${View} ...${properties} refer=${startReferralToCenter} />`;
}

/** @type {Promise<unknown> | null} */
let styles = null;

/** Load a style sheet before the one for paper, which must come last. */
function loadStyle(path) {
  return new Promise((done, fail) => {
    const href = new URL(`../${path}`, import.meta.url).href;
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: done });
    link.onerror = () => {
      link.remove();
      fail(new Error(`The style sheet ${path} could not be loaded.`));
    };
    document.querySelector('link[media="print"]')?.before(link);
  });
}

/** All of them at once, so that a page looks the same whichever page was open before. */
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
    return html`<${Problem} problem=${problem} retry=${reload}>This part of the dashboard could not be loaded.<//>`;
  return html`<${Loading} what="the page" />`;
}

const PageNotFound = () => html`<${PageTitle} page="Not found">There is no such page<//>
  <p><a href="#/">Go to the worklist</a></p>`;

function View() {
  const { view, id, list, step } = route.value;
  if (view === "worklist") return html`<${Worklist} key=${list} list=${list} />`;
  if (view === "form") return html`<${LazyView} view="form" id=${id} step=${step} />`;
  if (view in LAZY_VIEWS) return html`<${LazyView} key=${id} view=${view} id=${id} />`;
  return html`<${PageNotFound} />`;
}

function SignedIn() {
  const { problem, busy, reload } = useLoad(loadMe, [session.value?.since]);
  if (me.value) return html`<${View} />`;
  if (!problem || busy) return html`<${Loading} what="your worklist" />`;
  return html`<${PageTitle} page="Not available">Not available<//>
    <${Problem} problem=${problem} retry=${reload} />
    <p><button type="button" onClick=${() => signOut()}>Sign out</button></p>`;
}

function App() {
  const { problem, busy, reload } = useLoad(loadDisclaimers, []);
  // Nothing is shown without the statements, so no page can ever lack them.
  if (!disclaimers.value) {
    return problem && !busy
      ? html`<main>
          <h1>The dashboard cannot start</h1>
          <${Problem} problem=${problem} retry=${reload} />
          <p>This is not for emergencies: call 911 or the treatment center's line.</p>
        </main>`
      : html`<main><${Loading} what="the dashboard" /></main>`;
  }
  return html`<${Shell}>${session.value ? html`<${SignedIn} />` : html`<${SignIn} />`}<//>`;
}

const root = document.getElementById("app");
root?.replaceChildren();
if (root) render(html`<${App} />`, root);
