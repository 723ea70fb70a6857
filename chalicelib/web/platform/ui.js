// The basic components and hooks of every view.
import { shapes } from "../vendor/icons.js";
import { h } from "../vendor/preact.js";
import { html, signal, useEffect, useId, useLayoutEffect, useRef, useState } from "./dom.js";
import { buildPhoneHref, formatCount, formatPhone } from "./labels.js";

/** @param {{name: string}} properties */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    ${shapes[name].map(([tag, attributes]) => h(tag, attributes))}
  </svg>`;
}

/** A phone number to call. Shows nothing if there is none. @param {{number?: string | null}} properties */
export const PhoneLink = ({ number }) =>
  number && html`<a class="tabular-numbers" href=${buildPhoneHref(number)}>${formatPhone(number)}</a>`;

/** The message that assistive technology reads next; one message at a time. */
export const announcement = signal("");
/** @param {string} text */
export function announce(text) {
  announcement.value = "";
  setTimeout(() => (announcement.value = text), 50);
}

/**
 * The heading of a view. It takes the focus when the view opens, so that a screen reader starts there.
 * @param {{children?: any, page: string}} properties
 */
export function PageTitle({ children, page }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  // This runs before other effects, so that a view can still move the focus to another element.
  useLayoutEffect(() => {
    document.title = `${page} · CAR T Referral Dashboard`;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [page]);
  return html`<h1 tabindex="-1" ref=${heading}>${children}</h1>`;
}

/**
 * A native modal dialog. It is open while it is rendered. Then the focus returns to its earlier place.
 * @param {{title: string, onClose: () => void, children?: any, role?: string, byKey?: boolean}} properties
 *   `byKey`: a single key opened it, so the focus starts at its title, where no further key can send anything
 */
export function Dialog({ title, onClose, children, role, byKey }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    if (byKey) dialog?.querySelector("h2")?.focus();
    return () => dialog?.close();
  }, []);
  const cancel = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${box} aria-labelledby=${id} role=${role} onCancel=${cancel}>
    <h2 id=${id} tabindex=${byKey ? -1 : undefined}>${title}</h2>
    ${children}
  </dialog>`;
}

/**
 * @template T
 * @typedef {{data: T | null, problem: any, busy: boolean}} LoadState
 */

/**
 * Load data and keep it: { data, problem, busy, reload, replace }. A late response to an earlier
 * request is ignored. `reload` returns the new data, or null if it fails.
 *
 * @template T
 * @param {() => Promise<T>} load
 * @param {unknown[]} inputs
 */
export function useLoad(load, inputs) {
  const [state, setState] = useState(/** @type {LoadState<T>} */ ({ data: null, problem: null, busy: true }));
  const latestRun = useRef(0);
  const run = async () => {
    const thisRun = ++latestRun.current;
    const update = (/** @type {LoadState<T> | ((old: LoadState<T>) => LoadState<T>)} */ next) =>
      thisRun === latestRun.current && setState(next);
    setState((/** @type {LoadState<T>} */ old) => ({ ...old, busy: true }));
    try {
      const data = await load();
      update({ data, problem: null, busy: false });
      return data;
    } catch (problem) {
      update((old) => ({ ...old, problem, busy: false }));
      return null;
    }
  };
  useEffect(() => {
    run();
    return () => latestRun.current++;
  }, inputs);
  return { ...state, reload: run, replace: (/** @type {T} */ data) => setState((old) => ({ ...old, data })) };
}

/** @param {number} seconds */
function useCountdown(seconds) {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    setLeft(seconds);
    const timer = setInterval(() => setLeft((/** @type {number} */ value) => Math.max(0, value - 1)), 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return left;
}

/**
 * An error message. If a repeat can help, it has a button to try again after the time that the server asked for.
 * @param {{problem: any, retry?: () => void, children?: any}} properties
 */
export function Problem({ problem, retry, children }) {
  const left = useCountdown(problem.retryAfter || 0);
  return html`<div class="banner is-error" role="alert">
    <${Icon} name="circle-alert" />
    <div>
      <p>${children || describeProblem(problem)}</p>
      ${
        retry &&
        problem.passing !== false &&
        html`<button type="button" onClick=${retry} disabled=${left > 0}>
        <${Icon} name="refresh-cw" />${left > 0 ? `Try again in ${formatCount(left, "second")}` : "Try again"}
      </button>`
      }
      ${problem.requestId && html`<p class="small-text">Reference number for support: ${problem.requestId}</p>`}
    </div>
  </div>`;
}

/** @param {any} problem */
function describeProblem(problem) {
  if (problem.status === 404)
    return "Not found. It may have been removed, or your organization does not have access to it.";
  if (problem.status === 429) return "Too many requests. Wait a moment, then try again.";
  if (problem.status >= 500) return "The dashboard is not available right now. Try again in a few minutes.";
  return problem.message;
}

/**
 * Reload when the user returns to this tab, because the other organization may have made changes.
 * @param {() => unknown} reload
 */
export function useOnTabFocus(reload) {
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    const onChange = () => document.hidden || latest.current();
    document.addEventListener("visibilitychange", onChange);
    return () => document.removeEventListener("visibilitychange", onChange);
  }, []);
}

/** @param {{what: string}} properties */
export const Loading = ({ what }) => html`<p class="loading" role="status">Loading ${what}…</p>`;

/** @param {string} pointer */
export const toFieldId = (pointer) => `f${pointer.replaceAll("/", "-")}`;

/**
 * A label, a hint, an error, and one control, linked for assistive technology.
 * @param {{pointer: string, label: any, hint?: any, error?: any, optional?: boolean, wide?: boolean, rows?: string,
 *   options?: string[][], [attribute: string]: any}} properties
 */
export function Field({ pointer, label, hint, error, optional, wide, rows, options, ...rest }) {
  const id = toFieldId(pointer);
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const shared = {
    id,
    name: pointer,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? "true" : undefined,
    ...rest,
  };
  return html`<div class=${wide ? "field wide" : "field"}>
    <label for=${id}>${label}${optional && html` <span class="small-text">optional</span>`}</label>
    ${
      options
        ? html`<select ...${shared}>
          ${options.map(
            ([value, text]) =>
              html`<option value=${value} selected=${value === String(rest.value ?? "")}>${text}</option>`,
          )}
        </select>`
        : rows
          ? html`<textarea rows=${rows} ...${shared}></textarea>`
          : html`<input type="text" autocomplete="off" ...${shared} />`
    }
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${error && html`<p class="error" id="${id}-error">${error}</p>`}
  </div>`;
}
