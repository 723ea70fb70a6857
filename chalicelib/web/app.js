// The page: the statements first, then who you are, then the view that the address names.
import * as api from "./api.js";
import { html, render } from "./dom.js";
import { route } from "./route.js";
import { session, signOut } from "./session.js";
import { Shell } from "./shell.js";
import { SignIn } from "./sign_in.js";
import { loadMe, me, disclaimers } from "./state.js";
import { Loading, Problem, PageTitle, useLoad } from "./ui.js";
import { Worklist } from "./worklist.js";

// Views that are fetched when they are first wanted, and kept.
const LAZY_VIEWS = {
  catalogue: async () => (await import("./catalogue.js")).Catalogue,
  card: async () => (await import("./card.js")).EmergencyCard,
  centers: async () => (await import("./centers.js")).Centers,
  compare: async () => (await import("./compare.js")).Compare,
  feed: async () => (await import("./feed.js")).WebhookDeliveries,
  form: async () => (await import("./form.js")).FormView,
  handback: async () => (await import("./handback_form.js")).HandbackForm,
  notices: async () => (await import("./notices.js")).Notices,
  preferences: async () => (await import("./preferences.js")).Preferences,
  resources: async () => (await import("./resources.js")).Resources,
  referral: async () => (await import("./referral.js")).ReferralView,
  screen: async () => (await import("./screen.js")).EligibilityCheck,
  told: async () => (await import("./told.js")).NoticeHistory,
};
const getCurrentRoute = {};

let styled = null;

/** The style sheet of those views, before the one for paper, which has the last word. */
function loadStyle() {
  styled ??= new Promise((done, failed) => {
    const link = Object.assign(document.createElement("link"), {
      rel: "stylesheet", href: new URL("case.css", import.meta.url).href, onload: done,
    });
    link.onerror = () => {
      link.remove();
      styled = null;
      failed(new Error("The style sheet could not be loaded."));
    };
    document.querySelector('link[media="print"]').before(link);
  });
  return styled;
}

async function loadView(view) {
  const [component] = await Promise.all([LAZY_VIEWS[view](), loadStyle()]);
  return (getCurrentRoute[view] = component);
}

function LazyView({ view, ...rest }) {
  const { problem, reload } = useLoad(async () => getCurrentRoute[view] ?? loadView(view), [view]);
  if (getCurrentRoute[view]) return html`<${getCurrentRoute[view]} ...${rest} />`;
  if (problem) return html`<${Problem} problem=${problem} retry=${reload}>This part of the dashboard could not be loaded.<//>`;
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
  const { problem, busy, reload } = useLoad(loadMe, [session.value.since]);
  if (me.value) return html`<${View} />`;
  if (!problem || busy) return html`<${Loading} what="your worklist" />`;
  return html`<${PageTitle} page="Not available">Not available<//>
    <${Problem} problem=${problem} retry=${reload} />
    <p><button type="button" onClick=${() => signOut()}>Sign out</button></p>`;
}

function App() {
  const { problem, busy, reload } = useLoad(async () => (disclaimers.value = await api.getDisclaimers()), []);
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
root.replaceChildren();
render(html`<${App} />`, root);
