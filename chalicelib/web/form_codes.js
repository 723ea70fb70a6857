// The diagnosis code: free to type, with the billable codes of the chosen disease to pick from.
import { html } from "./dom.js";
import { listDiagnosisCodes } from "./lookups.js";
import { useLoad } from "./ui.js";

/** What stands below the field: the words of a known code, or where the offered ones are from. */
function describeCode(codes, typed) {
  if (!codes) return "For example C83.398";
  const known = codes.items.find(({ code }) => code === typed);
  return known ? known.description : `Billable codes are offered from ${codes.release.name}.`;
}

/** What a field for a diagnosis code of this disease says and offers. */
export function useDiagnosisCodes(disease, typed) {
  // The offer is a convenience: without it the field still takes a code, and the server checks it.
  const { data } = useLoad(async () => disease && listDiagnosisCodes(disease), [disease]);
  return {
    hint: describeCode(data, String(typed).trim().toUpperCase()),
    offered: html`<datalist id="codes">
      ${data && data.items.map(({ code, description }) => html`<option value=${code}>${description}</option>`)}
    </datalist>`,
  };
}
