// The providers and payers that the practice has used: suggested in the form, and forgotten on request.
import { me } from "../identity/member.js";
import { onSignOut } from "../identity/session.js";
import { html, signal, useEffect, useRef, useState } from "../platform/dom.js";
import { DraftField } from "../platform/form_fields.js";
import { formatFieldName, formatPhone } from "../platform/labels.js";
import { announce, Problem } from "../platform/ui.js";
import { fillProvider, findChosen, findShown, formatOption, removeProvider } from "./provider_document.js";
import { forgetDirectoryEntry, getPracticeDirectory } from "./referrals_api.js";

const EMPTY = { providers: [], payers: [] };
const directory = signal(/** @type {any} */ (null));
let loading = /** @type {Promise<void> | null} */ (null);

/** Load the directory again when a form needs it next, because a save may have changed it. */
export const clearDirectory = () => (directory.value = null);
onSignOut(clearDirectory);

async function load() {
  const reader = me.value;
  // The suggestions are a convenience. Without them the user types.
  const data = await getPracticeDirectory().catch(() => EMPTY);
  if (me.value === reader) directory.value = data;
}

export function usePracticeDirectory() {
  useEffect(() => {
    if (directory.value) return;
    loading ??= load().finally(() => (loading = null));
  }, []);
  return directory.value ?? EMPTY;
}

/** Fill in the provider who signs in, in a new referral in which no one has changed the provider. */
export function useOwnProvider(draft) {
  const own = usePracticeDirectory().providers.find((provider) => provider.is_own);
  useEffect(() => void (own && draft.startWithProvider(own)), [draft, own]);
}

/** What the practice has used, with a button to forget each. */
function KnownEntries({ title, entries, describe }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  if (!entries.length) return null;
  const forget = async ({ entry_id: id, name }) => {
    setProblem(null);
    try {
      await forgetDirectoryEntry(id);
    } catch (failure) {
      // A colleague, or an earlier try whose response was lost, has already removed it.
      if (/** @type {any} */ (failure).status !== 404) return setProblem(failure);
    }
    const remaining = (list) => list.filter((entry) => entry.entry_id !== id);
    const { providers, payers } = directory.value ?? EMPTY;
    directory.value = { providers: remaining(providers), payers: remaining(payers) };
    announce(`${name} is no longer suggested`);
    heading.current?.focus();
  };
  return html`<details class="wide known-entries">
    <summary ref=${heading}>${title} (${entries.length})</summary>
    <p class="hint">“Forget” removes a suggestion, for example one with a typo. Referrals do not change.</p>
    ${problem && html`<${Problem} problem=${problem} />`}
    <ul>
      ${entries.map(
        (entry) => html`<li key=${entry.entry_id}>
          <span>${describe(entry)}</span>
          <button type="button" class="ghost-button" onClick=${() => forget(entry)}>Forget<span class="visually-hidden"> ${describe(entry)}</span></button>
        </li>`,
      )}
    </ul>
  </details>`;
}

const describeProvider = ({ name, npi, phone }) =>
  [name, npi && `NPI ${npi}`, phone && formatPhone(phone)].filter(Boolean).join(", ");

const listNames = (names) => names.map((name) => formatFieldName(`/referring_provider/${name}`)).join(", ");

/** The name of the referring provider. A choice from the list fills in NPI, phone and email. */
export function ProviderName({ draft }) {
  const { providers } = usePracticeDirectory();
  const [message, setMessage] = useState("");
  const show = (text) => {
    setMessage(text);
    announce(text);
  };
  const choose = (event) => {
    const chosen = findChosen(providers, event.target.value);
    const entered = draft.get("/referring_provider") || {};
    const filled = draft.filledProvider;
    if (chosen) {
      const { provider, kept } = fillProvider(entered, chosen, filled ?? findShown(providers, entered));
      draft.set("/referring_provider", provider);
      draft.filledProvider = chosen;
      const rest = kept.length ? `What you entered was kept: ${listNames(kept)}.` : "Check it before you submit.";
      show(`Filled in from an earlier referral. ${rest}`);
    } else if (filled && entered.name?.trim() !== filled.name) {
      draft.set("/referring_provider", removeProvider(entered, filled));
      draft.filledProvider = null;
      show(`The NPI, phone and email of ${filled.name} were removed.`);
    }
  };
  const hint = message || (providers.length ? "Choose from earlier referrals, or enter a name" : undefined);
  return html`<${DraftField} draft=${draft} pointer="/referring_provider/name" label="Name" list="known-providers"
      hint=${hint} onChange=${choose} />
    <datalist id="known-providers">
      ${providers.map(
        (provider) =>
          html`<option value=${formatOption(provider, providers)}>${provider.npi ? `NPI ${provider.npi}` : ""}</option>`,
      )}
    </datalist>`;
}

export const KnownProviders = () => html`<${KnownEntries} title="Providers from earlier referrals"
  entries=${usePracticeDirectory().providers} describe=${describeProvider} />`;

/** The payer, with the payers of earlier referrals as suggestions. */
export function Payer({ draft }) {
  const { payers } = usePracticeDirectory();
  return html`<${DraftField} draft=${draft} pointer="/insurance/payer" label="Payer" list="known-payers" />
    <datalist id="known-payers">${payers.map(({ name }) => html`<option value=${name}></option>`)}</datalist>`;
}

export const KnownPayers = () => html`<${KnownEntries} title="Payers from earlier referrals"
  entries=${usePracticeDirectory().payers} describe=${({ name }) => name} />`;
