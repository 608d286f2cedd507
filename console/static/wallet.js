// The account, to look at only; the rewards of storage nodes; the tokens of this daemon.

import { get, post, remove } from "./api.js";
import { ago, busy, card, el, empty, fact, facts, field, follow, mono, say, show, table, tag, when } from "./dom.js";

export async function view(main, app) {
  const place = el("div", { class: "stack-cards" });
  const drawAll = async () => show(place, ...account(await get("/api/wallet")));
  await drawAll();
  follow(app, (kind, data) => kind === "soul" && [data.from, data.to].includes(app.status.address), drawAll, 500);
  const { scopes, contract, proofs, network, rpc, version } = app.status;
  const about = card("Daemon", facts(fact("Version", version, "text"), fact("Network", `${network}`, "text"), fact("Neo node", rpc, "text"), fact("Contract", mono(contract, true), "text"), fact("Proofs", mono(proofs, true), "text"), fact("Your token", scopes.join(", "), "text")));
  show(main, el("div", { class: "head" }, el("h1", null, "Wallet"), el("p", { class: "lead" }, "To look at only. Sending is for the command line: ", el("code", null, "phantasma wallet transfer"), ".")), place, scopes.includes("admin") ? await tokens() : null, about);
}

function account({ address, public_key: key, balance, transfers }) {
  const held = facts(Object.entries(balance).map(([name, amount]) => fact(name, amount)));
  const names = el("div", { class: "stack-cards" }, el("div", null, el("span", { class: "small muted" }, "Address"), el("pre", null, address)), el("div", null, el("span", { class: "small muted" }, "Public key, which contents are shared with"), el("pre", null, key)));
  const rows = (transfers ?? []).map((one) => [el("span", { title: when(one.time_ms) }, ago(one.time_ms)), tag(one.way, one.way === "received" ? "good" : ""), `${one.amount} ${one.token}`, one.other ? mono(one.other, true) : one.way === "received" ? "made" : "burned", mono(one.transaction, true)]);
  const list = transfers === null ? empty("The Neo node keeps no list of transfers.") : rows.length === 0 ? empty("None in 30 days.") : table(["When", "", "Amount", "With", "Transaction"], rows);
  return [el("div", { class: "two" }, card("Balance", held), card("Account", names)), card("Transfers", list)];
}

async function tokens() {
  const place = el("div");
  const secret = el("div");
  const wrong = el("div");
  const drawAll = async () => {
    const all = (await get("/api/tokens")).tokens;
    const rows = all.map((token) => {
      const revoke = el("button", { class: "quiet", "aria-label": `Revoke ${token.name}` }, "Revoke");
      revoke.addEventListener("click", () => busy(revoke, wrong, async () => {
        await remove(`/api/tokens/${token.name}`);
        await drawAll();
      }));
      return [token.name, el("span", { class: "row" }, token.scopes.map((scope) => tag(scope))), revoke];
    });
    show(place, table(["Name", "Good for", ""], rows));
  };
  await drawAll();
  const name = el("input", { required: true, pattern: "[a-z0-9_\\-]{1,32}", maxlength: 32, autocomplete: "off", name: "token-name" });
  const scopes = el("select", { name: "token-scopes" }, ["read", "read,decrypt", "read,write", "read,write,decrypt", "read,write,decrypt,admin"].map((value) => el("option", { value }, value.replaceAll(",", ", "))));
  const button = el("button", null, "Make a token");
  const make = (event) => {
    event.preventDefault();
    busy(button, wrong, async () => {
      const made = await post("/api/tokens", { name: name.value, scopes: scopes.value.split(",") });
      show(secret, el("div", { class: "says" }, el("p", { class: "small" }, `The secret of ${made.name}. It is not shown again.`), el("pre", null, made.secret)));
      say(`The token ${made.name} is made.`);
      name.value = "";
      await drawAll();
    });
  };
  return card("Tokens", el("p", { class: "small muted" }, "Programs use the daemon with a token of their own, for as much as they need."), place, el("form", { onsubmit: make }, el("div", { class: "fields" }, field("Name", name), field("Good for", scopes), button)), secret, wrong);
}

export async function rewards(main, app) {
  const place = el("div", { class: "stack-cards" });
  const drawAll = async () => show(place, ...round(await get("/api/rewards")));
  await drawAll();
  follow(app, (kind) => kind === "reward" || kind === "proof", drawAll, 500);
  show(main, el("div", { class: "head" }, el("h1", null, "Rewards"), el("p", { class: "lead" }, "Nodes that asked for proofs and nodes that showed them wait in two queues; each round the chain draws one of each, who share a part of the storage pool.")), place);
}

function round(info) {
  const own = info.own_number;
  const summary = facts(fact("Storage pool", `${info.pool} SOUL`), fact(info.draw === null ? "A round would pay" : "This round pays", `${info.pot} SOUL`), fact("Rounds paid", `${info.rounds}`), fact("Next from", info.next_ms <= Date.now() ? "now on" : when(info.next_ms), "text"));
  const state = info.draw === null ? el("p", { class: "muted" }, `A round can be closed when both queues have ${info.minimum} nodes, the wait is over and the pot is not 0.`) : el("p", null, tag("closed", "accent"), ` block ${info.draw} of the chain draws the winners.`);
  const queue = (name, waiting, closed) => card(name, waiting.length === 0 ? empty("Nobody waits.") : el("div", { class: "row" }, waiting.map((number) => tag(`node ${number}`, number === own ? "accent" : ""))), closed.length === 0 ? null : el("p", { class: "small muted" }, `Of the closed round: ${closed.map((number) => `node ${number}`).join(", ")}`));
  return [card("Now", summary, state), el("div", { class: "two" }, queue("Validators that wait", info.validators, info.closed_validators), queue("Provers that wait", info.provers, info.closed_provers))];
}
