// The few words of Preact, htm and signals that the views use, under one roof.
import htm from "./htm.js";
import { h } from "./preact.js";

export { Fragment, render } from "./preact.js";
export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "./hooks.js";
export { computed, effect, signal, useSignal } from "./signals.js";

export const html = htm.bind(h);
