// The relay's traffic: its numbers now, and messages a second over the last hour.

import { get } from "./api.js";
import { bytes, card, el, empty, fact, facts, failure, mono, show, table } from "./dom.js";
import { plot } from "./plot.js";

const EVERY_MS = 5000;

export async function view(main) {
  const place = el("div", { class: "stack-cards" });
  show(main, el("div", { class: "head" }, el("h1", null, "Relay"), el("p", { class: "lead" }, "A relay delivers signed messages at once, and writes to the chain what must stay. It can forge none of them.")), place);
  const drawAll = async () => show(place, ...drawing(await get("/api/relay")));
  await drawAll();
  const timer = setInterval(() => {
    if (!place.isConnected) clearInterval(timer);
    else drawAll().catch(() => {});
  }, EVERY_MS);
}

function drawing({ peer, ops, error, now, points }) {
  const where = el("p", { class: "small muted" }, "Relay ", peer ? mono(peer, true) : "without a key named here", `, its numbers from ${ops ?? "nowhere"}`);
  if (!now) return [card("Traffic", error ? failure({ message: `The relay does not tell its numbers: ${error}` }) : empty("Nothing seen yet."), where)];
  const of = (name) => Object.entries(now).filter(([full]) => full === name || full.startsWith(`${name}{`)).reduce((sum, [, value]) => sum + value, 0);
  const gas = of("chain_fees_datoshi") / 1e8;
  const summary = facts(fact("Accepted", `${of("accepted")}`), fact("Delivered", `${of("delivered")}`), fact("On the chain", `${of("on_chain")}`), fact("Refused", `${of("refused")}`), fact("Sessions", `${of("sessions")}`), fact("Subscriptions", `${of("subscriptions")}`), fact("Kept", bytes(of("log_bytes"))), fact("Fees", `${Number(gas.toFixed(4))} GAS`));
  const rows = Object.entries(now).map(([name, value]) => [el("code", null, name), `${value}`]);
  return [card("Traffic", error ? failure({ message: error }) : null, summary, where), card("Messages a second", rate(points)), card("All numbers", el("details", null, el("summary", null, `${rows.length} numbers, as the relay prints them`), table(["Name", "Value"], rows)))];
}

/** Accepted and delivered messages between two looks; a relay that was started anew begins at 0. */
function rate(points) {
  const rates = points.slice(1).map((point, at) => {
    const before = points[at];
    const seconds = Math.max(1, (point.time_ms - before.time_ms) / 1000);
    const count = point.accepted + point.delivered - before.accepted - before.delivered;
    return [point.time_ms, Math.max(0, count) / seconds];
  });
  if (rates.length < 2) return empty("Known after a few looks, one in five seconds.");
  const top = Math.max(1, ...rates.map(([, value]) => value));
  const label = `Messages accepted and delivered a second, at most ${top.toFixed(1)} in the time shown`;
  return el("div", { class: "plot" }, plot(rates, { label, top, mark: (value) => value.toFixed(top < 10 ? 1 : 0) }));
}
