// Plots as SVG, drawn from points in time; each has a sentence for those who do not see it.

import { draw, moment } from "./dom.js";

const WIDTH = 640, HEIGHT = 210;
const LEFT = 60, RIGHT = 12, TOP = 12, BOTTOM = 30;

/**
 * A line over time. `points` are [ms, value], `top` the value of the upper edge; `steps` holds each value until the next
 * point, as a thing that changes at moments does.
 */
export function plot(points, { label, top, mark = (v) => `${v}`, steps = false }) {
  const last = points[points.length - 1];
  const [from, to] = [points[0][0], Math.max(last[0], points[0][0] + 1000)];
  const x = (ms) => LEFT + ((ms - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + (1 - value / (top || 1)) * (HEIGHT - TOP - BOTTOM);
  let path = `M${x(points[0][0]).toFixed(1)} ${y(points[0][1]).toFixed(1)}`;
  for (const [ms, value] of points.slice(1)) path += steps ? `H${x(ms).toFixed(1)}V${y(value).toFixed(1)}` : `L${x(ms).toFixed(1)} ${y(value).toFixed(1)}`;
  const end = x(last[0]).toFixed(1);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => [
    draw("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(top * part), y2: y(top * part) }),
    draw("text", { x: LEFT - 8, y: y(top * part) + 4, "text-anchor": "end" }, mark(top * part)),
  ]);
  const base = y(0);
  return draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, grid,
    draw("path", { class: "area", d: `${path}L${end} ${base}L${x(points[0][0]).toFixed(1)} ${base}Z` }),
    draw("path", { class: "line", d: path }),
    draw("circle", { class: "dot", cx: end, cy: y(last[1]), r: 4 }),
    draw("text", { x: LEFT, y: HEIGHT - 8 }, moment(from, to)),
    draw("text", { x: WIDTH - RIGHT, y: HEIGHT - 8, "text-anchor": "end" }, moment(to, from)));
}
