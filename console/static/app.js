// The page: who is there, which section is shown, what has just happened.

import { get, keepToken, listen, takeToken } from "./api.js";
import { el, failure, field, mono, say, short, show } from "./dom.js";
import * as boxes from "./boxes.js";
import * as files from "./files.js";
import * as gates from "./gates.js";
import * as network from "./network.js";
import * as relay from "./relay.js";
import * as wallet from "./wallet.js";

/** One row a section: name in the address, title, what shows it. */
const SECTIONS = [
  ["boxes", "Boxes", boxes.view],
  ["gates", "Gate editor", gates.view],
  ["files", "Files", files.view],
  ["network", "Network", network.view],
  ["relay", "Relay", relay.view],
  ["rewards", "Rewards", wallet.rewards],
  ["wallet", "Wallet", wallet.view],
];

const main = document.getElementById("main");
/** What all sections may use. `listeners` of the shown section are told of events. */
const app = { status: null, listeners: new Set() };
let shown = "";

async function route() {
  const path = decodeURIComponent(location.hash.replace(/^#\/?/, "")) || "boxes";
  if (path === shown) return;
  const [name, ...rest] = path.split("/");
  const section = SECTIONS.find(([id]) => id === name) ?? SECTIONS[0];
  shown = path;
  app.listeners.clear();
  for (const link of document.querySelectorAll("#sections a")) {
    if (link.dataset.section !== section[0]) {
      link.removeAttribute("aria-current");
      continue;
    }
    link.setAttribute("aria-current", "page");
    // On a phone the menu is a line that scrolls.
    link.scrollIntoView({ block: "nearest", inline: "center" });
  }
  document.title = `${section[1]} · Phantasma`;
  try {
    await section[2](main, app, rest.join("/"));
  } catch (error) {
    show(main, el("h1", null, section[1]), failure(error));
  }
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

function drawStatus() {
  const { status } = app;
  const alive = status.height !== null && !app.lost;
  const state = el("span", { class: "row" }, el("span", { class: alive ? "dot-live" : "dot-live off" }), alive ? `block ${status.height}` : "chain away");
  const account = el("span", { class: "mono wide-only", title: `account ${status.address}` }, short(status.address, 6, 4));
  show(document.getElementById("status"), state, account);
}

function happened(kind, data) {
  if (kind === "lost" && !app.lost) say("The daemon does not answer.");
  if (kind === "connected" && app.lost) say("The daemon is back.");
  app.lost = kind === "lost" ? true : kind === "connected" ? false : app.lost;
  if (kind === "block") app.status.height = data.index;
  drawStatus();
  for (const listener of app.listeners) listener(kind, data);
}

async function enter() {
  app.status = await get("/api/status");
  const link = ([id, title]) => el("a", { href: `#/${id}`, "data-section": id }, title);
  show(document.getElementById("sections"), SECTIONS.map(link));
  drawStatus();
  listen(happened);
  addEventListener("hashchange", route);
  await route();
}

/** Asks for the token of somebody who came without one. */
function door(error) {
  const input = el("input", { type: "password", autocomplete: "off", required: true, name: "token" });
  const open = async (event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    await begin();
  };
  const form = el("form", { onsubmit: open }, field("Token", input, "`phantasma serve` prints a link with it; it is also in serve/tokens.toml"), el("div", { class: "row end" }, el("button", { class: "main" }, "Enter")));
  show(main, el("section", { class: "card door" }, el("h1", null, "Who is there?"), el("p", { class: "lead" }, "This page acts for the account that the daemon was started with, so it asks for a token."), error ? failure(error) : null, form));
  input.focus();
}

async function begin() {
  try {
    await enter();
  } catch (error) {
    if (error.status === 401 || error.status === 403) {
      keepToken(null);
      door(error);
    } else {
      show(main, el("h1", null, "Phantasma"), failure(error), el("div", null, el("button", { onclick: () => location.reload() }, "Try again")));
    }
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
if (takeToken()) begin();
else door(null);
