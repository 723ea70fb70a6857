// What is known of a center, with who says so and as of when.
import { canRefer, getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatPhone, getLabel } from "../platform/labels.js";
import { formatDate, formatDay, formatWallClock } from "../platform/time.js";
import { Icon } from "../platform/ui.js";

export const AGE_LABELS = { adult: "Adults", pediatric: "Children", all: "Adults and children" };

const shortenDisease = (disease) => (disease === "B_ALL" ? "B-ALL" : disease.replace("_", "/"));

/** The straight line in miles, as one says it: nobody measures a tenth of a mile between towns. */
export function DistanceText({ center, from }) {
  if (center.distance_miles == null) return null;
  const miles = Math.round(center.distance_miles);
  return html`<span class="tabular-numbers">${miles < 1 ? "under 1" : miles.toLocaleString("en")} mi<span class="visually-hidden"> in a straight line from ${from}</span></span>`;
}

export function CenterBadges({ center }) {
  return html`${center.fictional && html` <span class="chip">Fictional</span>`}
    ${!center.accepts_new && html` <span class="chip is-warning">Not accepting new patients</span>`}`;
}

/** Products by who authorized them, so that this is said once of all that it holds for. */
export function ProductList({ center }) {
  const groups = new Map();
  for (const offer of center.products) {
    const by = `Certified by ${offer.certified_by}, as of ${formatDate(offer.as_of)}`;
    groups.set(by, [...(groups.get(by) || []), offer]);
  }
  return [...groups].map(
    ([
      by,
      offers,
    ]) => html`<ul class="offers">${offers.map(({ product_id: id, diseases }) => html`<li><strong>${getLabel(id)}</strong> ${diseases.map(shortenDisease).join(", ")}</li>`)}</ul>
      <span class="subtext">${by}</span>`,
  );
}

export function CapacityFact({ center }) {
  const { capacity, accepts_new: accepts } = center;
  const days = capacity?.days_to_consultation;
  return html`${accepts ? "Accepts new patients" : "Accepts no new patients"}${days != null && `, first consultation in about ${days} days`}
    <span class="subtext">${capacity ? `As of ${formatDay(capacity.as_of, getTimeZone())}` : "As of when is not known"}</span>`;
}

export function PayerList({ center }) {
  const networks = center.payer_networks || [];
  if (!networks.length) return html`<span class="small-text">Not known: ask the center and the payer</span>`;
  const oldest = networks.map((each) => each.as_of).sort()[0];
  return html`${networks.map((each) => each.payer).join(", ")}
    <span class="subtext">As of ${formatDate(oldest)}; not a guarantee of coverage</span>`;
}

export function ContactList({ center }) {
  const lines = [
    ...center.contacts.map(({ name, phone: number }) => [name, number]),
    ["After hours", center.after_hours_phone],
  ];
  return html`<ul class="tabular-numbers">${lines.map(([name, number]) => html`<li>${name} <a href="tel:${number}">${formatPhone(number)}</a></li>`)}</ul>`;
}

/** Its clock, which is the one that its days are counted by. */
export const LocalTime = ({ center }) =>
  html`<span class="tabular-numbers">${formatWallClock(Date.now(), center.time_zone).slice(11, 16)} there now, ${center.time_zone.replaceAll("_", " ")}</span>`;

export const FactSource = ({ center }) => html`${center.source || "Not known"}
  ${center.verified_on && html`<span class="subtext">Last checked ${formatDate(center.verified_on)}</span>`}`;

/** Choose this center for the new referral. `refer` takes its id: this package does not know referrals. */
export function ReferButton({ center, refer }) {
  if (!canRefer()) return null;
  return html`<button type="button" onClick=${() => refer(center.center_id)}><${Icon} name="plus" />Start a referral<span class="visually-hidden"> to ${center.name}</span></button>`;
}
