// How a member wants to be mailed. What is in the dashboard stays there, whatever is chosen here.
import { me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { DraftField, ErrorSummary, FieldGroup, RadioChoice } from "../platform/form_fields.js";
import { getAt, merge, setAt } from "../platform/json_document.js";
import { announce, Icon, Loading, PageTitle, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { CATEGORIES } from "./notice_labels.js";
import { getPreferences, savePreferences } from "./notices_api.js";

const TIMINGS = [
  ["at_once", "At once"],
  ["daily", "Once a day"],
  ["never", "Never"],
];
/** The digest has its own day, and no other rhythm. */
const WEEKLY = [
  ["at_once", "On Mondays"],
  ["never", "Never"],
];
const ENDS = { from: "Quiet hours begin", to: "Quiet hours end" };
const DEFAULT_QUIET_HOURS = { from: "21:00", to: "07:00" };

const formatHour = (value) => `${value % 12 || 12}:00 ${value < 12 ? "AM" : "PM"}`;
const HOURS = Array.from({ length: 24 }, (_, value) => [String(value), formatHour(value)]);

/** Every zone that this browser knows, those of the US first; that of the organization by its name. */
function listTimeZones(current) {
  const own = me.value.tenant.time_zone;
  const known = Intl.supportedValuesOf("timeZone").filter((zone) => zone.includes("/"));
  const named = [...new Set([current, ...known])]
    .filter((zone) => zone && zone !== own)
    .map((/** @type {string} */ zone) => [zone, zone.replaceAll("_", " ")]);
  const isNear = (/** @type {string[]} */ [zone]) => /^(America|Pacific\/Honolulu)/.test(zone);
  return [
    ["", `${own.replaceAll("_", " ")}, as your organization`],
    ...named.filter(isNear),
    ...named.filter((each) => !isNear(each)),
  ];
}

/** What the form holds, from what the server tells. No zone is that of the organization. */
function toFormValues({ categories, digest_hour, quiet_hours, time_zone }) {
  return { categories, digest_hour, quiet_hours, time_zone: time_zone === me.value.tenant.time_zone ? "" : time_zone };
}

const toRequestBody = (values) => ({ ...values, time_zone: values.time_zone || null });

function CategorySettings({ draft }) {
  return html`<section class="card categories">
    <h2>When you are mailed</h2>
    <p class="small-text">Every notice is in the dashboard at once. Mail carries the patient's alias, a count and a link, nothing else.</p>
    <div class="category">
      <p><strong>Critical</strong> <span class="chip is-accent">Always on</span></p>
      <p class="small-text">Out of specification, failed manufacturing, a toxicity, a readmission, a death. Mailed at once, through quiet hours too.</p>
    </div>
    ${Object.entries(CATEGORIES).map(
      ([category, [name, contains]]) => html`<div class="category" key=${category}>
        <${RadioChoice} pointer="/categories/${category}" label=${name} hint=${contains} options=${category === "digest" ? WEEKLY : TIMINGS}
          value=${draft.get(`/categories/${category}`)} onPick=${(value) => draft.set(`/categories/${category}`, value)} />
      </div>`,
    )}
  </section>`;
}

function QuietHours({ draft }) {
  const quiet = draft.get("/quiet_hours");
  return html`<${FieldGroup} title="At which hours">
    <${DraftField} draft=${draft} pointer="/digest_hour" label="Daily and weekly mail comes at" options=${HOURS}
      onInput=${(event) => draft.set("/digest_hour", Number(event.target.value))} />
    <${DraftField} draft=${draft} pointer="/time_zone" label="Time zone" options=${listTimeZones(draft.get("/time_zone"))} />
    <label class="check wide"><input type="checkbox" checked=${!!quiet}
      onChange=${(event) => draft.set("/quiet_hours", event.target.checked ? DEFAULT_QUIET_HOURS : null)} />Hold back mail during quiet hours, but for critical notices</label>
    ${quiet && Object.entries(ENDS).map(([end, label]) => html`<${DraftField} draft=${draft} pointer="/quiet_hours/${end}" label=${label} type="time" required />`)}
  <//>`;
}

function PreferencesForm({ read }) {
  const [base, setBase] = useState({ values: toFormValues(read.data), etag: read.etag });
  const [values, setValues] = useState(base.values);
  const [message, setMessage] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const draft = {
    get: (pointer) => getAt(values, pointer),
    set: (pointer, value) => {
      setMessage(null);
      setValues((old) => setAt(old, pointer, value));
    },
    errors: { value: problem?.errors || [] },
  };

  /** They were changed elsewhere meanwhile: bring both together, and let the member look. */
  const join = async () => {
    const theirs = await getPreferences();
    const clashes = [];
    const kept = toFormValues(theirs.data);
    setValues(merge(base.values, values, kept, clashes));
    setBase({ values: kept, etag: theirs.etag });
    setMessage([
      "is-warning",
      `These were changed in another window meanwhile. ${clashes.length ? "Where both changed the same, the other is shown. " : ""}Please look, and save again.`,
    ]);
  };
  const save = async () => {
    try {
      const saved = await savePreferences(toRequestBody(values), base.etag);
      setBase({ values: toFormValues(saved.data), etag: saved.etag });
      setValues(toFormValues(saved.data));
      setMessage(["is-success", "Saved. Mail that waits keeps its time; what is turned off is not sent."]);
      announce("Saved");
    } catch (refusal) {
      if (refusal.status !== 412) throw refusal;
      await join();
    }
  };
  const submit = async (event) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    await save().catch(setProblem);
    setBusy(false);
  };
  return html`<form class="stack narrow" onSubmit=${submit} novalidate>
    <${CategorySettings} draft=${draft} />
    <${QuietHours} draft=${draft} />
    ${message && html`<p class="banner ${message[0]}" role="status">${message[1]}</p>`}
    ${
      problem &&
      (problem.errors?.length
        ? html`<${ErrorSummary} title=${problem.message} errors=${problem.errors} onPick=${(pointer) => document.getElementById(toFieldId(pointer))?.focus()} />`
        : html`<${Problem} problem=${problem} retry=${problem.passing ? submit : null} />`)
    }
    <div class="buttons"><button class="primary" aria-disabled=${busy}>${busy ? "Saving …" : "Save"}</button></div>
  </form>`;
}

export function Preferences() {
  const { data, problem, reload } = useLoad(getPreferences, []);
  return html`<p class="back-link"><a href="#/notices"><${Icon} name="arrow-left" />Notices</a></p>
    <${PageTitle} page="Notices and mail">Notices and mail<//>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${data ? html`<${PreferencesForm} read=${data} />` : !problem && html`<${Loading} what="your preferences" />`}`;
}
