// The storage network: a map of the nodes with roles and reputation, and the same as a table.

import { get } from "./api.js";
import { card, draw, el, empty, fact, facts, follow, mono, short, show, table, tag } from "./dom.js";

const SIZE = 560, CENTRE = SIZE / 2, RING = 190;

export async function view(main, app) {
  const place = el("div", { class: "stack-cards" });
  const drawAll = async () => {
    const network = await get("/api/nodes");
    network.nodes.sort((a, b) => (a.number ?? Infinity) - (b.number ?? Infinity));
    show(place, ...drawing(network));
  };
  show(main, el("div", { class: "head" }, el("h1", null, "Network"), el("p", { class: "lead" }, "Storage nodes: the registered ones, those you named, and those that they know.")), place);
  show(place, card("Map", empty("Asking the nodes …")));
  await drawAll();
  follow(app, (kind) => kind === "node", drawAll, 1500);
}

function drawing({ nodes, average_reputation: average, registered }) {
  if (nodes.length === 0) return [card("Map", empty("No node is known. Start the daemon with --node, or register one with `phantasma node register`."))];
  const answering = nodes.filter((node) => node.answer_ms !== null).length;
  const summary = facts(fact("Nodes", `${nodes.length}`), fact("Answering", `${answering}`), fact("Registered", `${registered}`), fact("Average reputation", points(average)));
  return [el("div", { class: "two" }, card("Map", map(nodes), key()), card("Summary", summary)), card("Nodes", list(nodes))];
}

const answer = ({ answer_ms: ms }) => (ms === null ? "silent" : ms === 0 ? "under 1 ms" : `${ms} ms`);
const points = (text) => Number(text).toFixed(0);

function map(nodes) {
  const place = new Map();
  nodes.forEach((node, at) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * at) / nodes.length;
    place.set(node.public_key, [CENTRE + RING * Math.cos(angle), CENTRE + RING * Math.sin(angle)]);
  });
  const edges = [];
  const drawn = new Set();
  for (const node of nodes) {
    for (const other of node.knows) {
      const id = [node.public_key, other].sort().join();
      if (!place.has(other) || drawn.has(id)) continue;
      drawn.add(id);
      edges.push(line("edge", place.get(node.public_key), place.get(other)));
    }
  }
  const spokes = nodes.map((node) => line(node.answer_ms === null ? "spoke silent" : "spoke", [CENTRE, CENTRE], place.get(node.public_key)));
  const me = [draw("circle", { class: "me", cx: CENTRE, cy: CENTRE, r: 13 }), draw("text", { x: CENTRE, y: CENTRE + 32, "text-anchor": "middle" }, "you")];
  const marks = nodes.map((node) => mark(node, place.get(node.public_key)));
  const label = `Map of ${nodes.length} nodes around you; the table below says the same`;
  return draw("svg", { viewBox: box(place), role: "img", "aria-label": label, id: "network-map" }, edges, spokes, me, marks);
}

/** What the nodes and their names take, so that three nodes do not stand in an empty square. */
function box(place) {
  const heights = [...place.values()].map(([, y]) => y);
  const [top, bottom] = [Math.min(...heights, CENTRE) - 70, Math.max(...heights, CENTRE) + 70];
  return `0 ${top} ${SIZE} ${bottom - top}`;
}

const line = (kind, [x1, y1], [x2, y2]) => draw("line", { class: kind, x1, y1, x2, y2 });

/** A circle whose area goes with the reputation. */
function mark(node, [x, y]) {
  const reputation = Number(node.reputation ?? 0);
  const radius = 13 + 15 * Math.sqrt(Math.min(1000, reputation) / 1000);
  const below = y > CENTRE - 1;
  const at = below ? y + radius + 18 : y - radius - 24;
  return draw("g", null,
    draw("circle", { class: `node ${node.role} ${node.answer_ms === null ? "silent" : ""}`, cx: x, cy: y, r: radius }),
    node.reputation === undefined ? null : draw("text", { class: "name", x, y: y + 5, "text-anchor": "middle" }, points(node.reputation)),
    draw("text", { class: "name", x, y: at, "text-anchor": "middle" }, node.number === undefined ? short(node.address, 6, 4) : `node ${node.number}`),
    draw("text", { x, y: at + 15, "text-anchor": "middle" }, answer(node)));
}

const key = () => el("div", { class: "key" }, el("span", null, tag("validator", "accent"), " above the average"), el("span", null, tag("prover", "warn"), " at or below it"), el("span", null, tag("observer"), " not registered"), el("span", null, "The number is the reputation, of 1000."));

function list(nodes) {
  const kind = { validator: "accent", prover: "warn" };
  const rows = nodes.map((node) => [
    node.number === undefined ? "–" : `${node.number}`, tag(node.role, kind[node.role] ?? ""), node.reputation === undefined ? "–" : Number(node.reputation).toFixed(1), node.answer_ms === null ? tag("silent", "bad") : answer(node), node.at, mono(node.address), `${node.knows.length}`,
  ]);
  return table(["Number", "Role", "Reputation", "Answers in", "At", "Account", "Knows"], rows);
}
