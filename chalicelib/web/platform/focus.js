// Where the focus goes when what had it is no longer on the page.

/** Put the focus on the heading of the page, where a screen reader starts, or on another place. */
export const focusHeading = (selector = "h1") =>
  /** @type {HTMLElement | null} */ (document.querySelector(selector))?.focus();

/** Put the focus on a heading if nothing has it, for example because its button is gone. Call it before the paint. */
export function keepFocus(selector = "h1") {
  if (!document.activeElement || document.activeElement === document.body) focusHeading(selector);
}
