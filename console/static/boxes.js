// Boxes: a list, one box with what lies in it, a new one.

import { get, post } from "./api.js";
import { busy, card, el, empty, fact, facts, field, follow, mono, say, show, tag, words } from "./dom.js";

export async function view(main, app, name) {
  if (name) await one(main, app, name);
  else await list(main, app);
}

async function list(main, app) {
  const place = el("div");
  const draw = async () => {
    const { boxes } = await get("/api/boxes");
    show(place, boxes.length === 0 ? empty("No box yet. Make the first one: it holds letters, a feed, a shelf, whatever its gate lets in.") : el("ul", { class: "list" }, boxes.map(row)));
  };
  await draw();
  follow(app, (kind) => kind === "box", draw);
  show(main, el("div", { class: "head" }, el("h1", null, "Boxes"), el("p", { class: "lead" }, "A box is a place on the chain with a name, an owner and a gate that decides who may write and read.")), el("div", { class: "two" }, card("Your boxes", place), await creation(app)));
}

function row(box) {
  const count = box.contents === 1 ? "1 content" : `${box.contents} contents`;
  return el("li", null, el("div", { class: "row" }, el("a", { class: "title grow", href: `#/boxes/name:${box.name}` }, box.name), el("span", { class: "muted small" }, `box ${box.box}`)), el("span", { class: "muted small" }, count));
}

async function creation(app) {
  const { gates } = await get("/api/gates/ready");
  const name = el("input", { name: "name", required: true, pattern: "[a-z0-9_]{1,32}", maxlength: 32, autocomplete: "off", placeholder: "letters" });
  const gate = el("select", { name: "gate" }, gates.map((ready, at) => el("option", { value: at }, ready.name)));
  const told = el("p", { class: "gate-words" });
  const tell = () => show(told, gates[gate.value].explanation.trim());
  gate.addEventListener("change", tell);
  tell();
  const button = el("button", { class: "main" }, "Create the box");
  const wrong = el("div");
  const create = (event) => {
    event.preventDefault();
    busy(button, wrong, async () => {
      const made = await post("/api/boxes", { name: name.value, gate: { hex: gates[gate.value].hex } });
      say(`Box ${made.box} "${made.name}" is there; it took ${made.gas} GAS.`);
      location.hash = `#/boxes/name:${made.name}`;
    });
  };
  const note = el("p", { class: "small muted" }, `A box costs ${app.status.box_fee} SOUL. Its name cannot be changed. For a gate of your own go to the `, el("a", { href: "#/gates" }, "gate editor"), ".");
  return card("A new box", el("form", { onsubmit: create }, field("Name", name, "1 to 32 of a-z, 0-9 and _"), field("Gate", gate), el("div", { class: "says" }, told), note, wrong, el("div", { class: "row end" }, button)));
}

async function one(main, app, name) {
  const box = await get(`/api/boxes/${encodeURIComponent(name)}`);
  const place = el("div");
  const draw = async () => {
    const { entries, contents } = await get(`/api/boxes/${box.box}/contents?count=50`);
    const items = entries.reverse().map((entry) => content(box, entry));
    show(place, items.length === 0 ? empty("Nothing lies in it yet.") : [el("ul", { class: "list" }, items), contents > entries.length ? el("p", { class: "small muted" }, `The newest ${entries.length} of ${contents}.`) : null].filter(Boolean));
  };
  await draw();
  follow(app, (kind, data) => kind === "box" && data.box === box.box, draw, 200);
  const gate = card("Gate", el("div", { class: "says" }, el("p", { class: "said gate-words" }, (box.explanation ?? "This gate cannot be explained.").trim())), el("details", null, el("summary", { class: "small muted" }, "As the chain has it"), el("pre", null, box.assembler ?? box.gate)), box.own ? el("div", { class: "row end" }, el("a", { class: "button", href: `#/gates/${box.name}` }, "Edit the gate")) : null);
  const about = card("About", facts(fact("Box", `${box.box}`), fact("Contents", `${box.contents}`), fact("Holds", `${box.balance} SOUL`), fact("Owner", mono(box.owner), "text")));
  show(main, el("div", { class: "head" }, el("h1", null, box.name), box.own ? tag("yours", "accent") : null), el("div", { class: "two" }, el("div", { class: "grow" }, card("Contents", place)), el("div", { class: "stack-cards" }, writing(box), gate, about)));
}

function content(box, entry) {
  const place = el("div", { class: "said" }, entry.value === null ? el("em", { class: "muted" }, "a program; read it to run it") : words(entry.value));
  const wrong = el("div");
  const read = el("button", { class: "quiet", "aria-label": `Read content ${entry.index} through the gate` }, "Read");
  read.addEventListener("click", () => busy(read, wrong, async () => {
    const { value } = await get(`/api/boxes/${box.box}/contents/${entry.index}`);
    show(place, words(value));
    say(`Gate and content ${entry.index} ran: that is what a reader gets.`);
  }));
  return el("li", null, el("div", { class: "row" }, el("span", { class: "muted small grow" }, `content ${entry.index}`), read), place, wrong);
}

function writing(box) {
  const text = el("textarea", { rows: 3, required: true, name: "text" });
  const most = el("input", { inputmode: "decimal", value: "0", name: "most" });
  const button = el("button", { class: "main" }, "Write");
  const wrong = el("div");
  const write = (event) => {
    event.preventDefault();
    busy(button, wrong, async () => {
      const { index, gas } = await post(`/api/boxes/${box.box}/contents`, { text: text.value, max_payment: most.value });
      text.value = "";
      say(`Content ${index} is on the chain; it took ${gas} GAS.`);
    });
  };
  return card("Write", el("form", { onsubmit: write }, field("Text", text), field("The most SOUL that the gate may charge", most), wrong, el("div", { class: "row end" }, button)));
}
