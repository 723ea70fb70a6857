// Single-key shortcuts. They do nothing in fields and dialogs, and a person can turn them off (WCAG 2.1.4).
import { html, signal, useEffect, useState } from "./dom.js";
import { navigate } from "./route.js";
import { isHelpOpen, registered, useShortcuts, wantsSearch } from "./shortcuts.js";
import { announce, Dialog } from "./ui.js";

/** @typedef {import("./shortcuts.js").Shortcuts} Shortcuts */

const STORED = "shortcuts";
const ROWS = "main tbody th[scope=row] a";
const SEARCH = "main [role=search] input";
const FILTER = "#filters summary";

/** Whether this browser uses the shortcuts. Nothing but the choice is stored. */
const areOn = signal(localStorage.getItem(STORED) !== "off");

/** @param {boolean} isOn */
function setOn(isOn) {
  areOn.value = isOn;
  if (isOn) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, "off");
}

/** @param {string} selector @returns {HTMLElement | null} */
const find = (selector) => document.querySelector(selector);

/** @param {number} step */
function moveInList(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(ROWS)]);
  const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** Whether the page can be left. If not, the focus goes to the text that would be lost. */
export function mayLeave() {
  const texts = /** @type {HTMLTextAreaElement[]} */ ([...document.querySelectorAll("main textarea")]);
  const typed = texts.find(({ value }) => value.trim());
  typed?.focus();
  if (typed) announce("Send or clear this text first");
  return !typed;
}

/** Go to the search of the worklist, from any page. */
function goToSearch() {
  const field = find(SEARCH);
  if (field) return field.focus();
  if (!mayLeave()) return;
  wantsSearch.value = true;
  navigate("#/");
}

/** The first filter, or in a narrow window the button that shows the filters. */
function goToFilters() {
  const button = find(".filter-button");
  if (button?.offsetParent) button.focus();
  else find(FILTER)?.focus();
}

/** The keys that work on this page now, for this person. A page can replace what a key does elsewhere. @returns {Shortcuts} */
const listShortcuts = () =>
  Object.assign(
    find(ROWS)
      ? { j: ["Next row of the list", () => moveInList(1)], k: ["Previous row of the list", () => moveInList(-1)] }
      : {},
    find(FILTER) && { f: ["Go to the first filter", goToFilters] },
    ...[...registered].map(({ current }) => current),
    { "?": ["Show this list", () => (isHelpOpen.value = true)] },
  );

/** @param {KeyboardEvent} event */
function isBusy({ target, ctrlKey, metaKey, altKey, isComposing }) {
  const isInField = target instanceof Element && target.closest("input, select, textarea, [contenteditable]");
  return ctrlKey || metaKey || altKey || isComposing || isInField || find("dialog[open]");
}

/** What the list of shortcuts shows, also of keys that the browser handles. @returns {string[][]} */
function describeKeys() {
  const keys = Object.entries(listShortcuts()).flatMap(([key, shortcut]) => (shortcut ? [[key, shortcut[0]]] : []));
  return [...keys, ...(find(ROWS) ? [["Enter", "Open the row"]] : []), ["Esc", "Close a menu or dialog"]];
}

function Help() {
  const [keys] = useState(describeKeys);
  const close = () => {
    isHelpOpen.value = false;
  };
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${close}>
    <dl class="shortcuts">${keys.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl>
    <p><label class="check"><input type="checkbox" checked=${areOn.value} onChange=${(event) => setOn(event.target.checked)} /> Use single-key shortcuts in this browser</label></p>
    <div class="buttons"><button type="button" onClick=${close}>Close</button></div>
  <//>`;
}

/**
 * Listens for the keys, and shows the list of shortcuts.
 * @param {{hasSearch: boolean, canRefer: boolean}} properties whether this person can search, and start a referral here
 */
export function KeyListener({ hasSearch, canRefer }) {
  useShortcuts({
    "/": hasSearch && ["Go to the search", goToSearch],
    n: canRefer && ["Start a new referral", () => mayLeave() && navigate("#/new/patient")],
  });
  useEffect(() => {
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
      const shortcut = areOn.value && !isBusy(event) && listShortcuts()[event.key.toLowerCase()];
      if (!shortcut) return;
      event.preventDefault();
      shortcut[1]();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  return isHelpOpen.value && html`<${Help} />`;
}
