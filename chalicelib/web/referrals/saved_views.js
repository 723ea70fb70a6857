// Saved views of the worklist: the links of the menu, and the dialog that saves, shares and removes them.
// It loads when the menu is opened for the first time, or when the first view is saved.
import { isPractice } from "../identity/member.js";
import { callApi, onSignOut } from "../identity/session.js";
import { html, signal, useState } from "../platform/dom.js";
import { announce, Dialog, Field, Loading, Problem, useLoad } from "../platform/ui.js";
import { buildListHref, FILTER_NAMES, WORST_FIRST } from "./worklist_address.js";
import { buildViewQuery } from "./worklist_views.js";

/**
 * @typedef {import("./worklist_address.js").ListAddress} ListAddress
 * @typedef {import("../platform/api_types.js").SavedViewsResponse} SavedViews
 * @typedef {import("../platform/api_types.js").SavedViewResponse} SavedView
 * @typedef {"mine" | "shared"} Owner
 */

const MAX_NAME = 40;
/** @type {Owner[]} */
const OWNERS = ["mine", "shared"];

/** The views that were read last. */
const known = signal(/** @type {SavedViews | null} */ (null));
let saves = 0;
onSignOut(() => {
  known.value = null;
});

async function loadViews() {
  const before = saves;
  const { data } = await callApi("GET", "views");
  // This response can be older than a save that was stored while it was on its way.
  if (!known.value || before === saves) known.value = data;
  return known.value;
}

/** @param {Owner} owner @param {SavedView[]} views @param {number} version */
async function saveViews(owner, views, version) {
  const { data } = await callApi("PUT", `views/${owner}`, { body: { views }, version: `"${version}"` });
  saves++;
  if (known.value) known.value = { ...known.value, [owner]: data };
}

/** @param {Owner} owner */
const getOwnerName = (owner) =>
  owner === "mine" ? "Saved by you" : `Shared by your ${isPractice() ? "practice" : "center"}`;

/** The query of a view as the API has it. @param {ListAddress} address */
function buildQuery({ view, filters, sort }) {
  const { late, ...others } = filters;
  return { ...buildViewQuery(view), ...others, ...(late ? { late: late[0] === "true" } : {}), sort };
}

/** The address of a saved view. @param {SavedView} view @returns {ListAddress} */
function parseQuery({ query }) {
  const set = FILTER_NAMES.filter((name) => query[name] !== undefined);
  return {
    view: String(query.worklist ?? query.phase ?? "all"),
    filters: Object.fromEntries(set.map((name) => [name, [query[name]].flat().map(String)])),
    sort: String(query.sort ?? WORST_FIRST),
    page: 1,
  };
}

/** The links of the saved views in the menu. @param {{address: ListAddress, onManage: () => void}} properties */
export function SavedViewLinks({ address, onManage }) {
  const views = useLoad(loadViews, []);
  const found = known.value;
  const here = buildListHref({ ...address, page: 1 });
  return html`${
    found &&
    OWNERS.map(
      (owner) =>
        found[owner].views.length > 0 &&
        html`<li class="menu-heading">${getOwnerName(owner)}</li>
          ${found[owner].views.map((view) => {
            const href = buildListHref(parseQuery(view));
            return html`<li><a href=${href} aria-current=${href === here ? "page" : undefined}>${view.name}</a></li>`;
          })}`,
    )
  }
    ${views.problem && !found && html`<li><${Problem} problem=${views.problem} retry=${views.reload} /></li>`}
    <li><button type="button" class="ghost-button" onClick=${onManage}>Save or remove views</button></li>`;
}

/** @param {{owner: Owner, views: SavedView[], isBusy: boolean, onRemove: (owner: Owner, name: string) => void}} properties */
function ViewList({ owner, views, isBusy, onRemove }) {
  if (!views.length) return null;
  return html`<section class="saved-views">
    <h3>${getOwnerName(owner)}</h3>
    <ul>
      ${views.map(
        ({ name }) => html`<li class="title-row"><span>${name}</span><span class="spacer" />
        <button type="button" class="ghost-button" disabled=${isBusy} aria-label="Remove ${name}" onClick=${() => onRemove(owner, name)}>Remove</button></li>`,
      )}
    </ul>
  </section>`;
}

/** The dialog that saves the list as it is shown, and removes views. @param {{address: ListAddress, onClose: () => void}} properties */
export function SavedViewsDialog({ address, onClose }) {
  const loaded = useLoad(loadViews, []);
  const [name, setName] = useState("");
  const [isShared, setShared] = useState(false);
  const [error, setError] = useState("");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const found = known.value;

  /** @param {Owner} owner @param {(views: SavedView[]) => SavedView[]} edit */
  const change = async (owner, edit) => {
    if (!found || isBusy) return false;
    setBusy(true);
    setProblem(null);
    setError("");
    try {
      await saveViews(owner, edit(found[owner].views), found[owner].version);
      return true;
    } catch (refused) {
      const own = /** @type {any} */ (refused).errors?.[0];
      if (own) setError(own.message);
      else setProblem(refused);
      // Someone else was faster: show what they saved, and keep what was typed.
      if (/** @type {any} */ (refused).status === 412) await loadViews().catch(() => {});
      return false;
    } finally {
      setBusy(false);
    }
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const wanted = name.trim();
    if (!wanted) return setError("Enter a name for this view.");
    const owner = isShared ? "shared" : "mine";
    const saved = await change(owner, (views) => [...views, { name: wanted, query: buildQuery(address) }]);
    if (!saved) return;
    announce(`Saved the view ${wanted}`);
    onClose();
  };
  const remove = async (/** @type {Owner} */ owner, /** @type {string} */ removed) => {
    if (await change(owner, (views) => views.filter((view) => view.name !== removed)))
      announce(`Removed the view ${removed}`);
  };
  const organization = isPractice() ? "practice" : "center";
  return html`<${Dialog} title="Save this view" onClose=${onClose}>
    <form class="stack" onSubmit=${save} novalidate>
      <p class="small-text">The view keeps the list, its filters and its order. It does not keep a search.</p>
      ${problem && html`<${Problem} problem=${problem} />`}
      <${Field} pointer="/view_name" label="Name" hint="Do not enter a patient's name." maxlength=${MAX_NAME} value=${name}
        error=${error} onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
      <label class="check"><input type="checkbox" checked=${isShared} onChange=${() => setShared(!isShared)} />Share with everyone at your ${organization}</label>
      <div class="buttons">
        <button class="primary" disabled=${!found} aria-disabled=${isBusy}>${isBusy ? "Saving…" : "Save view"}</button>
        <button type="button" onClick=${onClose}>Close</button>
      </div>
    </form>
    ${!found && !loaded.problem && html`<${Loading} what="saved views" />`}
    ${!found && loaded.problem && html`<${Problem} problem=${loaded.problem} retry=${loaded.reload} />`}
    ${found && OWNERS.map((owner) => html`<${ViewList} owner=${owner} views=${found[owner].views} isBusy=${isBusy} onRemove=${remove} />`)}
  <//>`;
}
