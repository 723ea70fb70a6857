// The functions of Preact, htm, and signals that the views use, in one module.
import htm from "../vendor/htm.js";
import { h } from "../vendor/preact.js";

export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";
export { Fragment, render } from "../vendor/preact.js";
export { computed, effect, signal, useSignal } from "../vendor/signals.js";

export const html = htm.bind(h);
