// A button that opens a small panel below it.
import { html, useEffect, useRef } from "./dom.js";

/**
 * Escape closes it and returns the focus to its button, and so does a button in it. Leaving it, or a press outside,
 * closes it without moving the focus.
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
    const pressed = event.target instanceof Element && event.target.closest("a, button");
    if (!pressed) return;
    close();
    // The button is hidden now, and a dialog that it opens returns the focus to what can be seen.
    if (pressed.matches("button")) box.current?.querySelector("summary")?.focus();
  };
  useEffect(() => {
    const closeFromOutside = (/** @type {MouseEvent} */ event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) close();
    };
    addEventListener("click", closeFromOutside);
    return () => removeEventListener("click", closeFromOutside);
  }, []);
  return html`<details class="menu" ref=${box} onKeyDown=${onKeyDown} onFocusOut=${onFocusOut} onClick=${onClick}
      onToggle=${() => box.current?.open && onOpen?.()}>
    <summary class=${isMarked ? "is-marked" : undefined}><span>${label}</span></summary>
    <div class="menu-panel">${children}</div>
  </details>`;
}
