// A button that opens a small panel below it.
import { html, useRef } from "./dom.js";

/**
 * Escape closes it and returns the focus to its button; so does leaving it, without moving the focus.
 * @param {{label: string, isMarked?: boolean, onOpen?: () => void, children?: any}} properties
 */
export function Menu({ label, isMarked, onOpen, children }) {
  const box = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const close = () => {
    if (box.current) box.current.open = false;
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !box.current?.open) return;
    close();
    box.current.querySelector("summary")?.focus();
  };
  const onFocusOut = (/** @type {FocusEvent} */ event) => {
    if (event.relatedTarget instanceof Node && !box.current?.contains(event.relatedTarget)) close();
  };
  const onClick = (/** @type {MouseEvent} */ event) => {
    if (event.target instanceof Element && event.target.closest("a, button")) close();
  };
  return html`<details class="menu" ref=${box} onKeyDown=${onKeyDown} onFocusOut=${onFocusOut} onClick=${onClick}
      onToggle=${() => box.current?.open && onOpen?.()}>
    <summary class=${isMarked ? "is-marked" : undefined}>${label}</summary>
    <div class="menu-panel">${children}</div>
  </details>`;
}
