/**
 * What shows some points of a curve: the name of an SVG element, and its attributes. A line through
 * one point would be invisible.
 *
 * @param points [x, y] in the picture's coordinates
 */
export function trace(points) {
  const places = points.map((place) => place.map((value) => value.toFixed(1)));
  if (places.length === 1) {
    const [[cx, cy]] = places;
    return ["circle", { cx, cy, r: 3 }];
  }
  return ["polyline", { points: places.map((place) => place.join(",")).join(" ") }];
}
