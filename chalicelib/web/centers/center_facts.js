// Facts about a center, with their source and "as of" date.
import { canRefer, getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatCount, getLabel } from "../platform/labels.js";
import { formatClock, formatDate, formatDay } from "../platform/time.js";
import { Icon, PhoneLink } from "../platform/ui.js";

export const AGE_LABELS = { adult: "Adults", pediatric: "Children", all: "Adults and children" };

const shortenDisease = (disease) => (disease === "B_ALL" ? "B-ALL" : disease.replace("_", "/"));

/** The straight-line distance in whole miles; a tenth of a mile does not matter between cities. */
export function DistanceText({ center, from }) {
  if (center.distance_miles == null) return null;
  const miles = Math.round(center.distance_miles);
  return html`<span class="tabular-numbers">${miles < 1 ? "under 1" : miles.toLocaleString("en")} mi<span class="visually-hidden">, straight line, from ${from}</span></span>`;
}

export function CenterBadges({ center }) {
  return html`${center.fictional && html` <span class="chip">Fictional</span>`}
    ${!center.accepts_new && html` <span class="chip is-warning">Not accepting new patients</span>`}`;
}

/** The products, grouped by the source that lists the authorization, so that each source appears once. */
export function ProductList({ center }) {
  const groups = new Map();
  for (const offer of center.products) {
    const source = `Listed as authorized by ${offer.certified_by}, as of ${formatDate(offer.as_of)}`;
    groups.set(source, [...(groups.get(source) || []), offer]);
  }
  return [...groups].map(
    ([
      source,
      offers,
    ]) => html`<ul class="offers">${offers.map(({ product_id: id, diseases }) => html`<li><strong>${getLabel(id)}</strong> ${diseases.map(shortenDisease).join(", ")}</li>`)}</ul>
      <span class="subtext">${source}</span>`,
  );
}

export function CapacityFact({ center }) {
  const { capacity, accepts_new: accepts } = center;
  const days = capacity?.days_to_consultation;
  return html`${accepts ? "Accepting new patients" : "Not accepting new patients"}${days != null && `; first consultation in about ${formatCount(days, "day")}`}
    <span class="subtext">${capacity ? `As of ${formatDay(capacity.as_of, getTimeZone())}` : "Date not reported"}</span>`;
}

export function PayerList({ center }) {
  const networks = center.payer_networks || [];
  if (!networks.length) return html`<span class="small-text">Not reported. Ask the center and the payer.</span>`;
  const oldest = networks.map((network) => network.as_of).sort()[0];
  return html`${networks.map((network) => network.payer).join(", ")}
    <span class="subtext">As of ${formatDate(oldest)}. Not a guarantee of coverage.</span>`;
}

export function ContactList({ center }) {
  const lines = [
    ...center.contacts.map(({ name, phone: number }) => [name, number]),
    ["After hours", center.after_hours_phone],
  ];
  return html`<ul class="tabular-numbers">${lines.map(([name, number]) => html`<li>${name} <${PhoneLink} number=${number} /></li>`)}</ul>`;
}

/** The time at the center. Its calendar counts the days of a referral. */
export const LocalTime = ({ center }) =>
  html`<span class="tabular-numbers">${formatClock(new Date().toISOString(), center.time_zone)}</span>`;

export const FactSource = ({ center }) => html`${center.source || "Source not reported"}
  ${center.verified_on && html`<span class="subtext">Last checked ${formatDate(center.verified_on)}</span>`}`;

/** Choose this center for the new referral. `refer` takes its id, because this package does not import referrals. */
export function ReferButton({ center, refer }) {
  if (!canRefer()) return null;
  return html`<button type="button" onClick=${() => refer(center.center_id)}><${Icon} name="plus" />Start a referral<span class="visually-hidden"> to ${center.name}</span></button>`;
}
