// The single-key shortcuts of the current page. The key listener (shortcut_keys.js) loads after the first view.
import { signal, useEffect, useRef } from "./dom.js";

/** @typedef {[does: string, act: () => unknown]} Shortcut */
/** @typedef {Record<string, Shortcut | false | null | undefined>} Shortcuts the keys in lower case */

/** Whether the list of shortcuts is open. */
export const isHelpOpen = signal(false);

/** Whether the page that opens next puts the focus into its search. */
export const wantsSearch = signal(false);

/** The keys of what is on the page now. @type {Set<{current: Shortcuts}>} */
export const registered = new Set();

/** Register keys while a component is on the page. A key that does nothing now is false. @param {Shortcuts} keys */
export function useShortcuts(keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    registered.add(latest);
    return () => registered.delete(latest);
  }, []);
}
