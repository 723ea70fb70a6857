// @ts-check
// A map around a place, as a pilot draws it: miles and bearings from the middle are true.
import { outlines } from "./outlines.js";

const EARTH_RADIUS_MILES = 3958.7613;
const UNITS_PER_DEGREE = 50;
const STEPS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500];
const RINGS = 4;

/** @typedef {{latitude: number, longitude: number}} Place */

const radians = (/** @type {number} */ degrees) => (degrees * Math.PI) / 180;

/**
 * Where a place stands on the map, in miles east and south of the middle (azimuthal equidistant).
 *
 * @param {Place} middle
 * @returns {(place: Place) => {x: number, y: number, miles: number}}
 */
export function around(middle) {
  const [sin0, cos0] = [Math.sin(radians(middle.latitude)), Math.cos(radians(middle.latitude))];
  return ({ latitude, longitude }) => {
    const [sin, cos] = [Math.sin(radians(latitude)), Math.cos(radians(latitude))];
    const beside = radians(longitude - middle.longitude);
    const angle = Math.acos(Math.min(1, Math.max(-1, sin0 * sin + cos0 * cos * Math.cos(beside))));
    const scale = angle < 1e-9 ? EARTH_RADIUS_MILES : (EARTH_RADIUS_MILES * angle) / Math.sin(angle);
    return {
      x: scale * cos * Math.sin(beside),
      y: -scale * (cos0 * sin - sin0 * cos * Math.cos(beside)),
      miles: EARTH_RADIUS_MILES * angle,
    };
  };
}

/** Circles of round miles, at most four of them. @param {number} reach miles from the middle to the edge */
export function rings(reach) {
  const step = STEPS.find((each) => reach / each <= RINGS) || STEPS[STEPS.length - 1];
  return Array.from({ length: Math.floor(reach / step) }, (_, index) => (index + 1) * step);
}

/** @param {string} line @returns {Place[]} */
function places(line) {
  const found = [];
  let at = 0;
  const next = () => {
    let [number, shift, part] = [0, 0, 0];
    do {
      part = line.charCodeAt(at++) - 63;
      number |= (part & 31) << shift;
      shift += 5;
    } while (part >= 32);
    return number & 1 ? ~(number >> 1) : number >> 1;
  };
  let [x, y] = [0, 0];
  while (at < line.length) {
    x += next();
    y += next();
    found.push({ latitude: y / UNITS_PER_DEGREE, longitude: x / UNITS_PER_DEGREE });
  }
  return found;
}

/**
 * The outlines of the states near the middle, as the path of an SVG.
 *
 * @param {Place} middle
 * @param {number} reach miles
 */
export function borders(middle, reach) {
  const placed = around(middle);
  const parts = [];
  for (const line of outlines) {
    let drawing = false;
    for (const { x, y, miles } of places(line).map(placed)) {
      // Far behind the edge nothing is drawn; near it a line may still come back.
      if (miles < reach * 1.6 + 200) parts.push(`${drawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
      drawing = miles < reach * 1.6 + 200;
    }
  }
  return parts.join("");
}
