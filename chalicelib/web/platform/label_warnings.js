// What a product's label warns of, and how current it is. Shown wherever a clinician relies on the label.
import { html } from "./dom.js";
import { formatDate } from "./time.js";

/**
 * @typedef {import("./api_types.js").LabelResponse} Label
 * @typedef {import("./api_types.js").LabelSectionResponse} Section
 */

/** @type {Record<string, string>} */
const SECTION_NAMES = {
  indications: "Indications",
  boxed_warning: "Boxed warning",
  monitoring: "Monitoring after infusion",
  warnings: "Warnings",
};

const CheckLabel = () => html` <span class="chip is-warning">Check the current label</span>`;

/** The current label, at DailyMed. @param {{label: Label}} properties */
export const LabelLink = ({ label }) =>
  html`<a class="label-link" href=${label.url} rel="noreferrer" target="_blank">Current prescribing information of ${label.product_name}</a>`;

/** Facts have a day by which someone must review them. @param {{sections: Section[]}} properties */
export const OutOfDate = ({ sections }) =>
  sections
    .filter((section) => section.may_be_out_of_date)
    .map(
      (section) =>
        html`<p class="banner is-warning">${SECTION_NAMES[section.section]}: may be out of date. As of ${formatDate(section.label_as_of)}, due for review by ${formatDate(section.review_by)}.</p>`,
    );

/** @param {Section[]} sections */
const formatDates = (sections) =>
  sections.map(({ section, label_as_of: day }) => `${SECTION_NAMES[section]} as of ${formatDate(day)}`).join(" · ");

/** @param {Label} label */
export const listBoxedWarnings = (label) => label.boxed_warnings.map(({ title }) => title).join("; ");

/** @param {{label: Label}} properties */
export const LabelWarnings = ({ label }) => html`<${OutOfDate} sections=${label.sections} />
  <details>
    <summary>Boxed warnings: ${listBoxedWarnings(label)}</summary>
    <ul class="label-text">
      ${label.boxed_warnings.map(({ title, text, unverified }) => html`<li><p><strong>${title}.</strong> ${text}${unverified && html`<${CheckLabel} />`}</p></li>`)}
    </ul>
    <p class="small-text tabular-numbers">${formatDates(label.sections)}</p>
  </details>
  <p class="small-text"><${LabelLink} label=${label} /></p>`;
