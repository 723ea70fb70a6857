// A map around a place (azimuthal equidistant projection): distances and bearings from the middle are true.
import { stateShapes } from "./state_shapes.js";

const EARTH_RADIUS_MILES = 3958.7613;
const UNITS_PER_DEGREE = 50;
const STEP_MILES = [5, 10, 25, 50, 100, 250, 500, 1000, 2500];
const MAX_RINGS = 4;

/** @typedef {{latitude: number, longitude: number}} Place */

const toRadians = (/** @type {number} */ degrees) => (degrees * Math.PI) / 180;

/**
 * A function that projects a place onto the map, in miles east and south of the middle.
 *
 * @param {Place} middle
 * @returns {(place: Place) => {x: number, y: number, miles: number}}
 */
export function createProjection(middle) {
  const [sin0, cos0] = [Math.sin(toRadians(middle.latitude)), Math.cos(toRadians(middle.latitude))];
  return ({ latitude, longitude }) => {
    const [sin, cos] = [Math.sin(toRadians(latitude)), Math.cos(toRadians(latitude))];
    const eastward = toRadians(longitude - middle.longitude);
    const angle = Math.acos(Math.min(1, Math.max(-1, sin0 * sin + cos0 * cos * Math.cos(eastward))));
    const scale = angle < 1e-9 ? EARTH_RADIUS_MILES : (EARTH_RADIUS_MILES * angle) / Math.sin(angle);
    return {
      x: scale * cos * Math.sin(eastward),
      y: -scale * (cos0 * sin - sin0 * cos * Math.cos(eastward)),
      miles: EARTH_RADIUS_MILES * angle,
    };
  };
}

/** The radii of at most four circles, in round miles. @param {number} reach miles from the middle to the edge */
export function listDistanceRings(reach) {
  const step = STEP_MILES.find((miles) => reach / miles <= MAX_RINGS) || STEP_MILES[STEP_MILES.length - 1];
  return Array.from({ length: Math.floor(reach / step) }, (_, index) => (index + 1) * step);
}

/** The places of an encoded polyline. @param {string} line @returns {Place[]} */
function decodePlaces(line) {
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
 * The outlines of the states near the middle, as an SVG path.
 *
 * @param {Place} middle
 * @param {number} reach miles
 */
export function decodeBorders(middle, reach) {
  const project = createProjection(middle);
  const parts = [];
  for (const line of stateShapes) {
    let drawing = false;
    for (const { x, y, miles } of decodePlaces(line).map(project)) {
      // Far outside the map nothing is drawn. Near the edge, a line can still come back into view.
      if (miles < reach * 1.6 + 200) parts.push(`${drawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
      drawing = miles < reach * 1.6 + 200;
    }
  }
  return parts.join("");
}
