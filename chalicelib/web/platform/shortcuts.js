// Single-key shortcuts. They do nothing in fields, menus and dialogs, and a person can turn them off (WCAG 2.1.4).
import { html, signal, useEffect, useState } from "./dom.js";
import { navigate } from "./route.js";
import { Dialog } from "./ui.js";

const STORED = "shortcuts";
const ROWS = "main tbody th[scope=row] a";
const SEARCH = "main [role=search] input";

/** Whether this browser uses the shortcuts. Nothing but the choice is stored. */
const areOn = signal(localStorage.getItem(STORED) !== "off");

/** Whether the list of shortcuts is open. */
export const isHelpOpen = signal(false);

/** Whether the page that opens next puts the focus into its search. */
export const wantsSearch = signal(false);

/** @type {[key: string, does: string][]} */
const SHORTCUTS = [
  ["/", "Go to the search"],
  ["j", "Next row of a list"],
  ["k", "Previous row of a list"],
  ["Enter", "Open the row"],
  ["?", "Show this list"],
];

/** @param {boolean} isOn */
function setOn(isOn) {
  areOn.value = isOn;
  if (isOn) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, "off");
}

/** @param {number} step */
function moveInList(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(ROWS)]);
  const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function goToSearch() {
  const field = /** @type {HTMLElement | null} */ (document.querySelector(SEARCH));
  if (field) return field.focus();
  wantsSearch.value = true;
  navigate("#/");
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  "/": goToSearch,
  j: () => moveInList(1),
  k: () => moveInList(-1),
  "?": () => {
    isHelpOpen.value = true;
  },
};

/** @param {KeyboardEvent} event */
function isBusy({ target, ctrlKey, metaKey, altKey, isComposing }) {
  const isInField = target instanceof Element && target.closest("input, select, textarea, [contenteditable]");
  return ctrlKey || metaKey || altKey || isComposing || isInField || document.querySelector("dialog[open]");
}

function Help() {
  const [isOn, setChecked] = useState(areOn.value);
  const change = (/** @type {any} */ event) => {
    setOn(event.target.checked);
    setChecked(event.target.checked);
  };
  const close = () => {
    isHelpOpen.value = false;
  };
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${close}>
    <dl class="shortcuts">${SHORTCUTS.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl>
    <p><label class="check"><input type="checkbox" checked=${isOn} onChange=${change} /> Use single-key shortcuts in this browser</label></p>
    <div class="buttons"><button type="button" onClick=${close}>Close</button></div>
  <//>`;
}

/** Listens for the keys while someone is signed in, and shows the list of shortcuts. */
export function Shortcuts() {
  useEffect(() => {
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
      const act = ACTIONS[event.key];
      if (!act || !areOn.value || isBusy(event)) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  return isHelpOpen.value && html`<${Help} />`;
}
