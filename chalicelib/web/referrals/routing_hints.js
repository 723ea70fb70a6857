// Hints that the center, the product or the code may not fit. They block nothing.
import { html } from "../platform/dom.js";
import { Icon } from "../platform/ui.js";

/** @param {{hints?: import("../platform/api_types.js").RoutingHintResponse[], title: string}} properties */
export function RoutingHints({ hints, title }) {
  if (!hints?.length) return null;
  return html`<div class="banner is-warning"><${Icon} name="circle-alert" /><div>
    <p><strong>${title}</strong></p>
    <ul>${hints.map(({ kind, message }) => html`<li key=${kind}>${message}</li>`)}</ul>
  </div></div>`;
}
