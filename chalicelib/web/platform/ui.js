// The small pieces that every view is made of.
import { shapes } from "../vendor/icons.js";
import { h } from "../vendor/preact.js";
import { html, signal, useEffect, useId, useLayoutEffect, useRef, useState } from "./dom.js";

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    ${shapes[name].map(([tag, attributes]) => h(tag, attributes))}
  </svg>`;
}

/** What assistive technology is told politely; one message at a time. */
export const announcement = signal("");
export function announce(text) {
  announcement.value = "";
  setTimeout(() => (announcement.value = text), 50);
}

/** The heading of a view. It takes the focus when the view opens, so that reading starts there. */
export function PageTitle({ children, page }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  // Before other effects: whoever wants the focus elsewhere takes it after this.
  useLayoutEffect(() => {
    document.title = `${page} · CAR T Referral Dashboard`;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [page]);
  return html`<h1 tabindex="-1" ref=${heading}>${children}</h1>`;
}

/** A native modal dialog: open while it is rendered; focus goes back where it came from. */
export function Dialog({ title, onClose, children, role }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${box} aria-labelledby=${id} role=${role} onCancel=${cancel}>
    <h2 id=${id}>${title}</h2>
    ${children}
  </dialog>`;
}

/**
 * @template T
 * @typedef {{data: T | null, problem: any, busy: boolean}} LoadState
 */

/**
 * Load something and keep it: { data, problem, busy, reload }. A late answer to an earlier
 * question is dropped.
 *
 * @template T
 * @param {() => Promise<T>} load
 * @param {unknown[]} inputs
 */
export function useLoad(load, inputs) {
  const [state, setState] = useState(/** @type {LoadState<T>} */ ({ data: null, problem: null, busy: true }));
  const latestRun = useRef(0);
  const run = async () => {
    const mine = ++latestRun.current;
    const settle = (next) => mine === latestRun.current && setState(next);
    setState((old) => ({ ...old, busy: true }));
    await load().then(
      (data) => settle({ data, problem: null, busy: false }),
      (problem) => settle((old) => ({ ...old, problem, busy: false })),
    );
  };
  useEffect(() => {
    run();
    return () => latestRun.current++;
  }, inputs);
  return { ...state, reload: run, replace: (/** @type {T} */ data) => setState((old) => ({ ...old, data })) };
}

function useCountdown(seconds) {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    setLeft(seconds);
    const timer = setInterval(() => setLeft((value) => Math.max(0, value - 1)), 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return left;
}

/** What went wrong, in a sentence; and where it may help, another try, after as long as the server asked. */
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
        <${Icon} name="refresh-cw" />${left > 0 ? `Try again in ${left} s` : "Try again"}
      </button>`
      }
      ${problem.requestId && html`<p class="small-text">Reference ${problem.requestId}</p>`}
    </div>
  </div>`;
}

function describeProblem(problem) {
  if (problem.status === 404) return "There is nothing here for your organization.";
  if (problem.status === 429) return "Too many requests in a short time. Please wait a moment.";
  if (problem.status >= 500) return "The service is not available at the moment. Nothing was lost.";
  return problem.message;
}

/** Look again when somebody comes back to this tab: meanwhile the other side may have moved on. */
export function useOnTabFocus(look) {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    const seen = () => document.hidden || latest.current();
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, []);
}

export const Loading = ({ what }) => html`<p class="loading" role="status">Loading ${what} …</p>`;

export const toFieldId = (pointer) => `f${pointer.replaceAll("/", "-")}`;

/** A label, a hint, an error and one control, tied together. `children` replaces the input. */
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
