// The centers of a list on a map without tiles. The list says all that it shows.
import { html, useMemo } from "../platform/dom.js";
import { decodeBorders, listCirclePoints, listDistanceRings } from "./map_projection.js";

const MAP_CENTER = { latitude: 38.5, longitude: -96.5 };
const MIN_MAP_MILES = 30;
const MAX_MAP_MILES = 1500;
/** Of those nobody drew a limit for, so many decide how far the map goes. */
const NEAREST_SHOWN = 8;

function computeReach(spots, within, near) {
  const miles = spots.map((spot) => spot.miles).sort((a, b) => a - b);
  const farthest = within || (near ? miles[Math.min(miles.length, NEAREST_SHOWN) - 1] || 0 : MAX_MAP_MILES);
  return Math.max(MIN_MAP_MILES, farthest * 1.08);
}

/** Places that would hide one another stand a little apart; the number tells which is which. */
function spreadPins(spots, gap) {
  const placed = [];
  for (const spot of spots) {
    let [x, y, turn] = [spot.x, spot.y, 0];
    while (placed.some((other) => Math.hypot(other.x - x, other.y - y) < gap) && turn < 12) {
      turn += 1;
      x = spot.x + gap * Math.cos(turn * 0.9) * (1 + turn / 8);
      y = spot.y + gap * Math.sin(turn * 0.9) * (1 + turn / 8);
    }
    placed.push({ ...spot, x, y });
  }
  return placed;
}

export function CenterMap({ items, near, within, chosen }) {
  const middle = near || MAP_CENTER;
  const placed = listCirclePoints(middle);
  const all = items.flatMap((center, index) =>
    center.place ? [{ ...placed(center.place), center, number: index + 1 }] : [],
  );
  const reach = computeReach(all, within, near);
  const path = useMemo(() => decodeBorders(middle, reach), [middle.latitude, middle.longitude, reach]);
  const seen = all.filter((spot) => spot.miles <= reach);
  const beyond = items.length - seen.length;
  const size = reach / 100;
  const where = near ? `around ZIP code ${near.zip}` : "of the United States";
  return html`<figure class="map card">
    <svg viewBox="${-reach} ${-reach} ${2 * reach} ${2 * reach}" role="img" aria-label="Map ${where} with ${seen.length} of the centers in the list, by their numbers">
      <path class="map-land" d=${path} stroke-width=${size * 0.5} />
      ${
        near &&
        html`${listDistanceRings(reach).map(
          (miles) => html`<circle class="distance-ring" r=${miles} stroke-width=${size * 0.35} />
            <text class="miles" y=${-miles - size * 1.5} font-size=${size * 5}>${miles.toLocaleString("en")} mi</text>`,
        )}
        <path class="map-origin" d="M${-size * 4} 0H${size * 4}M0 ${-size * 4}V${size * 4}" stroke-width=${size} />`
      }
      ${spreadPins(seen, size * 8.5).map(
        ({
          x,
          y,
          center,
          number,
        }) => html`<g class=${chosen.includes(center.center_id) ? "map-pin is-chosen" : "map-pin"}>
          <circle cx=${x} cy=${y} r=${size * 4.4} stroke-width=${size * 0.8} />
          <text x=${x} y=${y + size * 1.75} font-size=${size * 5}>${number}</text>
        </g>`,
      )}
    </svg>
    <figcaption class="small-text">
      ${near ? `Rings are straight-line miles from the middle of ${near.zip}, not ways to drive. ` : "Name a ZIP code for distances. "}
      ${beyond > 0 && `${beyond} of the list ${beyond === 1 ? "lies" : "lie"} beyond the edge. `}
      Numbers are those of the list.
    </figcaption>
  </figure>`;
}
