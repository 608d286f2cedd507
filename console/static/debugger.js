// The step debugger: an access is run natively by the daemon, which gives every step; here one moves over them.

import { post } from "./api.js";
import { busy, card, el, empty, fact, facts, field, mono, show, tag } from "./dom.js";

/** A card that runs the gate that `source()` gives. */
export function stepper(source) {
  const doing = el("select", { name: "doing" }, el("option", { value: "write" }, "writes"), el("option", { value: "read" }, "reads"), el("option", { value: "inspect" }, "asks the price"));
  const who = el("select", { name: "who" }, el("option", { value: "stranger" }, "A stranger"), el("option", { value: "owner" }, "The owner"));
  const most = el("input", { inputmode: "decimal", value: "0", name: "debug-most" });
  const button = el("button", { class: "main" }, "Run");
  const wrong = el("div");
  const place = el("div");
  const run = (event) => {
    event.preventDefault();
    busy(button, wrong, async () => {
      const record = await post("/api/gates/debug", { gate: { text: source() }, as: doing.value, max_payment: most.value, ...(who.value === "owner" ? { caller: "me", owner: "me" } : {}) });
      show(place, session(record));
      place.querySelector("[data-first]")?.focus();
    });
  };
  const form = el("form", { onsubmit: run }, el("div", { class: "fields" }, field("Who", who), field("does what", doing), field("and pays SOUL at most", most), button));
  return card("Step through it", form, wrong, place);
}

function session(record) {
  if (record.steps.length === 0) return empty(`No gate ran: ${record.outcome.exception ?? "nothing to do"}.`);
  const stops = new Set();
  let at = 0;
  const code = el("ol", { class: "code", "aria-label": "Script" });
  const stack = el("ol", { class: "stack", "aria-label": "Stack, top first" });
  const where = el("p", { class: "muted small", "aria-live": "polite", id: "debug-where" });
  const key = (run, position) => `${run}:${position}`;

  const go = (to) => {
    at = Math.max(0, Math.min(record.steps.length, to));
    drawNow();
  };
  const onward = () => {
    const next = record.steps.findIndex((step, index) => index > at && stops.has(key(step.script, step.position)));
    go(next === -1 ? record.steps.length : next);
  };
  const line = (run, row, done, now) => {
    const id = key(run, row.position);
    const stop = el("button", { "aria-pressed": `${stops.has(id)}`, "aria-label": `Breakpoint at byte ${row.position}`, title: "Breakpoint" }, "●");
    stop.addEventListener("click", () => {
      if (!stops.delete(id)) stops.add(id);
      stop.setAttribute("aria-pressed", `${stops.has(id)}`);
    });
    return el("li", { class: done ? "done" : "", "aria-current": now ? "step" : null }, stop, el("span", { class: "at" }, `${row.position}`), row.text);
  };
  const drawNow = () => {
    const step = record.steps[at];
    const run = step ? step.script : record.steps[record.steps.length - 1].script;
    const before = new Set(record.steps.slice(0, at).filter((s) => s.script === run).map((s) => s.position));
    show(code, record.listings[run].map((row) => line(run, row, before.has(row.position), step?.script === run && step.position === row.position)));
    const items = step ? [...step.stack].reverse() : [];
    show(stack, items.length === 0 ? el("li", null, step ? "empty" : "over") : items.map(item));
    const script = record.scripts[run];
    const part = run === 0 ? "the gate" : "the content";
    show(where, step ? `Step ${at + 1} of ${record.steps.length}, in ${part} of box ${script.box}, for ${script.verb}` : `After ${record.steps.length} steps: the end`);
  };
  const buttons = [["Start", () => go(0)], ["Back", () => go(at - 1)], ["Step", () => go(at + 1)], ["Go on", onward]].map(([text, act], index) => el("button", { onclick: act, "data-first": index === 2, class: index === 2 ? "main" : "" }, text));
  const keys = (event) => {
    const act = { ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), Home: () => go(0), End: () => go(record.steps.length) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  drawNow();
  const tools = el("div", { class: "row", role: "toolbar", "aria-label": "Steps; arrow keys move", onkeydown: keys }, buttons);
  return el("div", { class: "stack-cards" }, verdict(record), tools, where, el("div", { class: "two" }, code, el("div", { class: "tight" }, el("h3", null, "Stack"), stack)));
}

function verdict(record) {
  const { outcome, cost } = record;
  const halt = outcome.state === "HALT";
  return el("div", { class: "stack-cards", id: "debug-outcome" }, el("div", { class: "row" }, halt ? tag("let in", "good") : tag("refused", "bad"), el("span", null, halt ? "The access goes through." : plainly(outcome.exception))), facts(fact("Instructions", `${cost.instructions}`), fact("Charged", soul(cost.soul)), fact("Caller", mono(record.caller, true), "text"), fact("Owner", mono(record.owner, true), "text")));
}

/** The contract's own words. */
const plainly = (text) => (text ?? "").replace(/^.*Reason: /, "");

/** Smallest units as SOUL, without rounding. */
function soul(units) {
  const digits = units.padStart(9, "0");
  const rest = digits.slice(-8).replace(/0+$/, "");
  return `${digits.slice(0, -8)}${rest ? `.${rest}` : ""} SOUL`;
}

function item(value) {
  const text = value.type === "ByteString" || value.type === "Buffer" ? bytesOf(value.value) : value.value === undefined ? "null" : typeof value.value === "object" ? JSON.stringify(value.value) : String(value.value);
  return el("li", null, el("span", null, text), el("span", { class: "muted" }, value.type));
}

/** JSON-RPC writes bytes in base64; people read text or hex. */
function bytesOf(base64) {
  const raw = atob(base64 ?? "");
  if (/^[\x20-\x7e]+$/.test(raw)) return `"${raw}"`;
  return `0x${[...raw].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("")}`;
}
