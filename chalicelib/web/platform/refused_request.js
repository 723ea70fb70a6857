// Why the server did not save a form. The form stays open with its entries, and each error leads to its field.
import { html } from "./dom.js";
import { ErrorSummary } from "./form_fields.js";
import { Problem } from "./ui.js";

/**
 * @param {{problem: any, unknown: boolean, retry: () => any, onPick: (pointer: string) => void}} properties
 *   `unknown`: no response arrived, so the same request can be sent again
 */
export function RefusedRequest({ problem, unknown, retry, onPick }) {
  if (!problem) return null;
  if (problem.errors.length) return html`<${ErrorSummary} errors=${problem.errors} onPick=${onPick} />`;
  if (!unknown || problem.status === 429)
    return html`<${Problem} problem=${problem} retry=${unknown ? retry : null} />`;
  return html`<${Problem} problem=${problem} retry=${retry}>
    We could not confirm that this was saved. You can safely try again; it will not be recorded twice.
  <//>`;
}
