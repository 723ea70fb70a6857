// The centers of the list on a map without tiles. The list has everything that the map shows.
import { html, useMemo } from "../platform/dom.js";
import { formatCount } from "../platform/labels.js";
import { createProjection, decodeBorders, listDistanceRings } from "./map_projection.js";

const MAP_CENTER = { latitude: 38.5, longitude: -96.5 };
const MIN_MAP_MILES = 30;
const MAX_MAP_MILES = 1500;
/** If the search has no maximum distance, the map reaches to this many of the nearest centers. */
const NEAREST_SHOWN = 8;

function computeReach(spots, within, near) {
  const miles = spots.map((spot) => spot.miles).sort((a, b) => a - b);
  const farthest = within || (near ? miles[Math.min(miles.length, NEAREST_SHOWN) - 1] || 0 : MAX_MAP_MILES);
  return Math.max(MIN_MAP_MILES, farthest * 1.08);
}

/** Moves pins that would hide each other a little apart. Each pin has the number of its center. */
function spreadPins(spots, gap) {
  const placed = [];
  for (const spot of spots) {
    let [x, y, turn] = [spot.x, spot.y, 0];
    while (placed.some((pin) => Math.hypot(pin.x - x, pin.y - y) < gap) && turn < 12) {
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
  const project = createProjection(middle);
  const all = items.flatMap((center, index) =>
    center.place ? [{ ...project(center.place), center, number: index + 1 }] : [],
  );
  const reach = computeReach(all, within, near);
  const path = useMemo(() => decodeBorders(middle, reach), [middle.latitude, middle.longitude, reach]);
  const shown = all.filter((spot) => spot.miles <= reach);
  const outside = items.length - shown.length;
  const size = reach / 100;
  const where = near ? `around ZIP code ${near.zip}` : "of the United States";
  return html`<figure class="map card">
    <svg viewBox="${-reach} ${-reach} ${2 * reach} ${2 * reach}" role="img" aria-label="Map ${where} showing ${formatCount(shown.length, "center")} from the list, by number">
      <path class="map-land" d=${path} stroke-width=${size * 0.5} />
      ${
        near &&
        html`${listDistanceRings(reach).map(
          (miles) => html`<circle class="distance-ring" r=${miles} stroke-width=${size * 0.35} />
            <text class="miles" y=${-miles - size * 1.5} font-size=${size * 5}>${miles.toLocaleString("en")} mi</text>`,
        )}
        <path class="map-origin" d="M${-size * 4} 0H${size * 4}M0 ${-size * 4}V${size * 4}" stroke-width=${size} />`
      }
      ${spreadPins(shown, size * 8.5).map(
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
      ${near ? `Rings show straight-line miles from the center of ZIP code ${near.zip}, not driving distance. ` : "Enter a ZIP code to see distances. "}
      ${outside > 0 && `${formatCount(outside, "center")} ${outside === 1 ? "is" : "are"} outside this map. `}
      Numbers match the list.
    </figcaption>
  </figure>`;
}
