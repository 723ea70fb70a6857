// The member's notification settings. They change only emails; the dashboard always shows all notices.
import { me } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { DraftField, ErrorSummary, FieldGroup, RadioChoice } from "../platform/form_fields.js";
import { getAt, merge, setAt } from "../platform/json_document.js";
import { formatZoneName } from "../platform/time.js";
import { announce, Icon, Loading, PageTitle, Problem, toFieldId, useLoad } from "../platform/ui.js";
import { CATEGORIES } from "./notice_labels.js";
import { getPreferences, savePreferences } from "./notices_api.js";

const TIMINGS = [
  ["at_once", "Right away"],
  ["daily", "Once a day"],
  ["never", "Never"],
];
/** The digest is sent on its own day, so it has no daily option. */
const WEEKLY = [
  ["at_once", "On Mondays"],
  ["never", "Never"],
];
const QUIET_HOURS_LABELS = { from: "Quiet hours start", to: "Quiet hours end" };
const DEFAULT_QUIET_HOURS = { from: "21:00", to: "07:00" };

const formatHour = (value) => `${value % 12 || 12}:00 ${value < 12 ? "AM" : "PM"}`;
const HOURS = Array.from({ length: 24 }, (_, value) => [String(value), formatHour(value)]);

/** "Chicago (Central Time)". @param {string} zone */
const formatZone = (zone) => `${zone.split("/").pop()?.replaceAll("_", " ")} (${formatZoneName(zone)})`;

/** The organization's zone, then all zones that this browser knows, the American ones first. */
function listTimeZones(current) {
  const own = me.value.tenant.time_zone;
  const known = Intl.supportedValuesOf("timeZone").filter((zone) => zone.includes("/"));
  const named = [...new Set([current, ...known])]
    .filter((zone) => zone && zone !== own)
    .map((/** @type {string} */ zone) => [zone, formatZone(zone)]);
  const isNear = (/** @type {string[]} */ [zone]) => /^(America|Pacific\/Honolulu)/.test(zone);
  return [
    ["", `${formatZoneName(own)} (your organization's time zone)`],
    ...named.filter(isNear),
    ...named.filter((option) => !isNear(option)),
  ];
}

/** The values of the form. An empty time zone means the organization's time zone. */
function toFormValues({ categories, digest_hour, quiet_hours, time_zone }) {
  return { categories, digest_hour, quiet_hours, time_zone: time_zone === me.value.tenant.time_zone ? "" : time_zone };
}

const toRequestBody = (values) => ({ ...values, time_zone: values.time_zone || null });

function CategorySettings({ draft }) {
  return html`<section class="card categories">
    <h2>When to email you</h2>
    <p class="small-text">Notices appear in the dashboard right away. Emails contain only the patient's alias, the number of notices, and a link.</p>
    <div class="category">
      <p><strong>Critical</strong> <span class="chip is-accent">Always on</span></p>
      <p class="small-text">Product out of specification, manufacturing failure, severe adverse event, readmission, or death. Emailed right away, even during quiet hours.</p>
    </div>
    ${Object.entries(CATEGORIES).map(
      ([category, [name, description]]) => html`<div class="category" key=${category}>
        <${RadioChoice} pointer="/categories/${category}" label=${name} hint=${description} options=${category === "digest" ? WEEKLY : TIMINGS}
          value=${draft.get(`/categories/${category}`)} onPick=${(value) => draft.set(`/categories/${category}`, value)} />
      </div>`,
    )}
  </section>`;
}

function QuietHours({ draft }) {
  const quiet = draft.get("/quiet_hours");
  return html`<${FieldGroup} title="Times">
    <${DraftField} draft=${draft} pointer="/digest_hour" label="Send daily and weekly emails at" options=${HOURS}
      onInput=${(event) => draft.set("/digest_hour", Number(event.target.value))} />
    <${DraftField} draft=${draft} pointer="/time_zone" label="Time zone" options=${listTimeZones(draft.get("/time_zone"))} />
    <label class="check wide"><input type="checkbox" checked=${!!quiet}
      onChange=${(event) => draft.set("/quiet_hours", event.target.checked ? DEFAULT_QUIET_HOURS : null)} />No email during quiet hours, except critical notices</label>
    ${quiet && Object.entries(QUIET_HOURS_LABELS).map(([end, label]) => html`<${DraftField} draft=${draft} pointer="/quiet_hours/${end}" label=${label} type="time" required />`)}
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

  /** The settings were changed in another window: merge both changes, and ask the member to review them. */
  const mergeChanges = async () => {
    const theirs = await getPreferences();
    const conflicts = [];
    const stored = toFormValues(theirs.data);
    setValues(merge(base.values, values, stored, conflicts));
    setBase({ values: stored, etag: theirs.etag });
    const conflictNote = "Where both changed the same setting, the other window's choice is shown. ";
    setMessage([
      "is-warning",
      `Your settings were changed in another window. ${conflicts.length ? conflictNote : ""}Review them and save again.`,
    ]);
  };
  const save = async () => {
    try {
      const saved = await savePreferences(toRequestBody(values), base.etag);
      setBase({ values: toFormValues(saved.data), etag: saved.etag });
      setValues(toFormValues(saved.data));
      setMessage([
        "is-success",
        "Settings saved. Emails already scheduled keep their time. Emails you turned off will not be sent.",
      ]);
      announce("Settings saved");
    } catch (failure) {
      if (failure.status !== 412) throw failure;
      await mergeChanges();
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
        ? html`<${ErrorSummary} errors=${problem.errors} onPick=${(pointer) => document.getElementById(toFieldId(pointer))?.focus()} />`
        : html`<${Problem} problem=${problem} retry=${problem.passing ? submit : null} />`)
    }
    <div class="buttons"><button class="primary" aria-disabled=${busy}>${busy ? "Saving…" : "Save settings"}</button></div>
  </form>`;
}

export function Preferences() {
  const { data, problem, reload } = useLoad(getPreferences, []);
  return html`<p class="back-link"><a href="#/notices"><${Icon} name="arrow-left" />Notices</a></p>
    <${PageTitle} page="Notification settings">Notification settings<//>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${data ? html`<${PreferencesForm} read=${data} />` : !problem && html`<${Loading} what="your settings" />`}`;
}
