// The gate editor: text on the left; what it means, costs and does on the right, while one types.

import { get, post, put } from "./api.js";
import { busy, card, el, fact, facts, failure, field, say, settled, show, tag } from "./dom.js";
import { stepper } from "./debugger.js";

const FIRST = "; The owner comes in, anybody else pays for each read.\n; The words stand in docs/sub-vm.md; a semicolon starts a comment.\n";

export async function view(main, app, name) {
  const { gates } = await get("/api/gates/ready");
  const box = name ? await get(`/api/boxes/name:${encodeURIComponent(name)}`) : null;
  const text = el("textarea", { rows: 14, spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-describedby": "verdict", id: "gate-text", value: box?.assembler ?? FIRST + gates[6].text });
  const ready = el("select", { "aria-label": "Begin with a ready gate" }, el("option", { value: "" }, "Begin with …"), gates.map((gate, at) => el("option", { value: at }, gate.name)));
  const verdict = el("div", { id: "verdict", class: "tight", "aria-live": "polite" });
  const cost = el("div");
  const doing = el("select", { "aria-label": "Cost of" }, el("option", { value: "write" }, "a write"), el("option", { value: "read" }, "a read"), el("option", { value: "inspect" }, "asking the price"));
  const state = { valid: false };
  let turn = 0;

  const price = async (mine) => {
    try {
      const told = await post("/api/gates/estimate", { gate: { text: text.value }, as: doing.value });
      if (mine === turn) show(cost, costs(told));
    } catch (error) {
      if (mine === turn) show(cost, failure(error));
    }
  };
  const look = async () => {
    const mine = ++turn;
    try {
      const told = await post("/api/gates/explain", { script: { text: text.value } });
      if (mine !== turn) return;
      state.valid = true;
      text.removeAttribute("aria-invalid");
      show(verdict, el("div", { class: "says" }, el("p", { class: "said gate-words", id: "explanation" }, told.explanation)), el("div", { class: "row" }, tag(`${told.bytes} bytes`), tag("the contract takes it", "good"), told.can_fail ? tag("can fail on some way", "warn") : null));
      await price(mine);
    } catch (error) {
      if (mine !== turn) return;
      state.valid = false;
      text.setAttribute("aria-invalid", "true");
      show(verdict, wrong(error, text));
      show(cost, el("p", { class: "muted" }, "Known once the text is a gate."));
    }
    keep.button.disabled = !state.valid;
  };
  const keep = box ? replacing(box, text) : creating(app, text);
  const soon = settled(look, 200);
  text.addEventListener("input", soon);
  doing.addEventListener("change", look);
  ready.addEventListener("change", () => {
    if (ready.value === "") return;
    text.value = gates[ready.value].text;
    ready.value = "";
    text.focus();
    look();
  });
  const editor = card(box ? `Gate of ${box.name}` : "Gate", el("div", { class: "row end" }, ready), el("label", null, el("span", null, "Assembler"), text), keep.node);
  const meaning = card("What it means", verdict);
  const priced = card("What it takes at most", el("div", { class: "row" }, doing), cost);
  show(main, el("div", { class: "head" }, el("h1", null, "Gate editor"), el("p", { class: "lead" }, "A gate is a small program that runs before every access to its box. Nothing here is sent before you say so.")), el("div", { class: "two" }, editor, el("div", { class: "stack-cards" }, meaning, priced)), stepper(() => text.value));
  await look();
}

/** An error of the assembler, with its place and what to do. */
function wrong(error, text) {
  if (error.code !== "assembler") return failure(error);
  const go = () => {
    const lines = text.value.split("\n");
    const from = lines.slice(0, error.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    text.focus();
    text.setSelectionRange(from, from + (lines[error.line - 1] ?? "").length);
  };
  return el("div", { class: "error", role: "alert" }, el("p", null, error.message), el("p", { class: "small" }, el("button", { class: "quiet", onclick: go }, `line ${error.line}, column ${error.column}`), error.hint ?? ""));
}

function costs(told) {
  const { at_most: most, parts } = told;
  const gate = parts.gate ? `${parts.gate.steps} steps, ${parts.gate.gas} GAS of it` : "nothing";
  const soul = most.soul === null ? "what you allow" : most.soul;
  return facts(fact("GAS", most.gas), fact("SOUL", soul), fact("Instructions", `${most.steps}`), fact("The gate itself", gate, "text"));
}

function creating(app, text) {
  const name = el("input", { name: "box-name", required: true, pattern: "[a-z0-9_]{1,32}", maxlength: 32, autocomplete: "off", placeholder: "film" });
  const button = el("button", { class: "main" }, "Create a box with it");
  const place = el("div");
  const create = (event) => {
    event.preventDefault();
    busy(button, place, async () => {
      const made = await post("/api/boxes", { name: name.value, gate: { text: text.value } });
      say(`Box ${made.box} "${made.name}" is there; it took ${made.gas} GAS.`);
      location.hash = `#/boxes/name:${made.name}`;
    });
  };
  return { button, node: el("form", { onsubmit: create }, field("Name of a new box", name, `A box costs ${app.status.box_fee} SOUL`), place, el("div", { class: "row end" }, button)) };
}

function replacing(box, text) {
  const button = el("button", { class: "main" }, `Give it to ${box.name}`);
  const place = el("div");
  button.addEventListener("click", () => busy(button, place, async () => {
    const done = await put(`/api/boxes/${box.box}/gate`, { gate: { text: text.value } });
    say(`${box.name} has the new gate; it took ${done.gas} GAS.`);
    location.hash = `#/boxes/name:${box.name}`;
  }));
  return { button, node: el("div", null, place, el("div", { class: "row end" }, button)) };
}
