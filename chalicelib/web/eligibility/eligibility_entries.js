// The entries of the eligibility check, and the comparison that follows them while the user types.
import { signal } from "../platform/dom.js";
import { getAt, prune, setAt } from "../platform/json_document.js";
import { formatCount } from "../platform/labels.js";
import { announce } from "../platform/ui.js";
import { AGENTS } from "../referrals/clinical_labels.js";
import { toRequestBody } from "../referrals/referral_document.js";
import { screenPatient } from "./eligibility_api.js";

export const LINES = "/clinical/prior_lines";
const PAUSE_MS = 800;
const RESULT_NAMES = {
  label_criteria_appear_met: "appear met",
  label_criteria_not_met_as_entered: "not met as entered",
  information_missing: "information missing",
};

/** "Label criteria: appear met 2, information missing 1. 3 points to discuss with the center." @param {any} result */
export function summarize(result) {
  const counts = Object.entries(RESULT_NAMES).map(([code, name]) => {
    const count = result.results.filter((/** @type {any} */ each) => each.result === code).length;
    return count && `${name} ${count}`;
  });
  const points =
    result.discuss_with_center.length +
    result.results.filter((/** @type {any} */ each) => each.discuss.some(isHistology)).length +
    result.collection_checks.filter((/** @type {any} */ check) => check.state === "discuss").length;
  return `Label criteria: ${counts.filter(Boolean).join(", ")}.${points ? ` ${formatCount(points, "point")} to discuss with the center.` : ""}`;
}

/** The first (0) or the last (-1) of some dates, if there are any. */
const pick = (/** @type {(string | undefined)[]} */ days, /** @type {0 | -1} */ place) =>
  days.filter(Boolean).sort().at(place);

// Earlier therapy is a flag too, and is counted there.
const isHistology = (/** @type {any} */ point) => point.kind === "histology_not_named";

/** The entries and the last result. They stay while the user visits other pages, until sign-out. */
export class EligibilityEntries {
  constructor() {
    this.values = signal(/** @type {any} */ ({}));
    this.errors = signal(/** @type {any[]} */ ([]));
    this.problem = signal(/** @type {any} */ (null));
    this.result = signal(/** @type {any} */ (null));
    this.untreated = signal(false);
    /** Drugs of a chart that a person has not assigned to a line yet. */
    this.courses = signal(/** @type {any[]} */ ([]));
    this.stale = signal(false);
    this.busy = signal(false);
    /** Whether the user asked for the comparison. Then the focus goes to its result, or to its errors. */
    this.asked = signal(false);
    this.isAgain = false;
    this.said = "";
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  get(pointer) {
    return getAt(this.values.value, pointer) ?? "";
  }

  set(pointer, value) {
    this.values.value = setAt(this.values.value, pointer, value);
    if (this.errors.value.length) this.errors.value = this.errors.value.filter((error) => error.pointer !== pointer);
    this.plan();
  }

  /** Use the entries of a chart. Its courses wait until the user assigns them. @param {any} entries */
  fill({ age, clinical, courses }) {
    const { last_doses: doses, ...read } = clinical;
    this.values.value = prune({
      age,
      clinical: read,
      doses: Object.fromEntries(doses.map((/** @type {any} */ { agent, last_on }) => [agent, { last_on }])),
    });
    this.courses.value = courses;
    this.plan();
  }

  /** Put a drug of the chart into a line: an existing one, or a new one after the last. */
  assign(course, index) {
    const lines = this.get(LINES) || [];
    const line = lines[index] ?? {};
    const merged = {
      ...line,
      regimen: [line.regimen, course.name].filter(Boolean).join(", "),
      classes: [...new Set([...(line.classes ?? []), ...course.classes])],
      started_on: pick([line.started_on, course.started_on], 0),
      ended_on: pick([line.ended_on, course.ended_on], -1),
    };
    this.courses.value = this.courses.value.filter((other) => other !== course);
    this.set(LINES, Object.assign([...lines], { [index]: prune(merged) }));
  }

  setUntreated(value) {
    this.untreated.value = value;
    this.plan();
  }

  /** Compare when the user pauses. */
  plan() {
    this.stale.value = true;
    this.asked.value = false;
    clearTimeout(this.timer);
    if (this.get("/clinical/disease")) this.timer = setTimeout(() => this.compare(), PAUSE_MS);
  }

  /** No request follows any more, and no answer is shown. */
  stop() {
    clearTimeout(this.timer);
    this.isStopped = true;
  }

  /** The request body: without empty fields. "No prior treatment" is an empty list. */
  get body() {
    const { age, planned_collection_on, doses = {} } = this.values.value;
    /** @type {any} */
    let body = { clinical: {}, ...toRequestBody(this.values.value) };
    const lastDoses = AGENTS.map(([agent]) => ({ agent, ...doses[agent] })).filter(
      ({ given, last_on, daily_mg }) => last_on || daily_mg || given === false,
    );
    if (lastDoses.length) body = setAt(body, "/clinical/last_doses", lastDoses);
    if (this.untreated.value && !body.clinical.prior_lines) body = setAt(body, LINES, []);
    if (age !== undefined && age !== "") body.age = Number(age);
    if (planned_collection_on) body.planned_collection_on = planned_collection_on;
    return body;
  }

  /** The body while the user still types: a line can be without a regimen. */
  get unfinishedBody() {
    const lines = this.body.clinical.prior_lines;
    if (!lines?.length) return this.body;
    return setAt(
      this.body,
      LINES,
      lines.map((/** @type {any} */ line) => ({ regimen: "Not entered", ...line })),
    );
  }

  /** The user asks. The focus goes to the result, also to one that is up to date already. */
  ask() {
    if (!this.get("/clinical/disease")) {
      this.errors.value = [{ pointer: "/clinical/disease", message: "Choose the disease." }];
      this.asked.value = true;
      return;
    }
    this.compare(true);
  }

  /** One request at a time. Changes that come meanwhile are compared after it, and the newest entries win. */
  async compare(asked = false) {
    clearTimeout(this.timer);
    if (asked) this.asked.value = true;
    if (this.busy.value) {
      this.isAgain = true;
      return;
    }
    this.busy.value = true;
    const checked = this.values.value;
    const isUntreated = this.untreated.value;
    const isCurrent = () => this.values.value === checked && this.untreated.value === isUntreated;
    try {
      const result = await screenPatient(asked ? this.body : this.unfinishedBody);
      if (this.isStopped) return;
      this.result.value = result;
      this.errors.value = [];
      this.problem.value = null;
      this.stale.value = !isCurrent();
      this.say(summarize(result));
    } catch (problem) {
      if (this.isStopped) return;
      // Errors of entries that have changed since are no longer true.
      this.errors.value = isCurrent() ? (problem.errors ?? []) : [];
      this.problem.value = problem.errors?.length ? null : problem;
      if (this.errors.value.length)
        this.say(`Results not updated. ${formatCount(this.errors.value.length, "field")} to fix.`);
    } finally {
      this.busy.value = false;
      if (this.isAgain && !this.isStopped) {
        this.isAgain = false;
        this.compare(this.asked.value);
      }
    }
  }

  /** Say it once, when the user has paused; never the same sentence twice in a row. @param {string} text */
  say(text) {
    if (this.said !== text) announce(text);
    this.said = text;
  }
}
