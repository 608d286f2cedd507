// Files: what is stored, how it is; putting one with progress; playing one; its proofs.

import { get, post, remove, upload } from "./api.js";
import { ago, busy, bytes, card, el, empty, fact, facts, failure, field, follow, mono, percent, say, short, show, table, tag, when } from "./dom.js";
import { plot } from "./plot.js";

export async function view(main, app, root) {
  if (root) await one(main, app, root);
  else await list(main, app);
}

async function list(main, app) {
  const place = el("div");
  const drawList = async () => {
    const { contents } = await get("/api/contents");
    show(place, contents.length === 0 ? empty("No file yet. Put one: it is encrypted here, named by its hash on the chain, and kept by several nodes that cannot read it.") : el("ul", { class: "list" }, contents.map(row)));
  };
  const running = el("ul", { class: "list", "aria-label": "On their way" });
  await drawList();
  const jobs = new Map();
  for (const job of (await get("/api/uploads")).uploads) if (job.phase !== "done") progress(jobs, running, job);
  app.listeners.add((kind, data) => {
    if (kind === "upload") progress(jobs, running, data);
  });
  follow(app, (kind, data) => (kind === "upload" && data.phase === "done") || kind === "health" || kind === "content", drawList);
  show(main, el("div", { class: "head" }, el("h1", null, "Files"), el("p", { class: "lead" }, "Encrypted on this machine, cut into blocks of 256 KiB under one hash on the chain, kept by storage nodes.")), el("div", { class: "two" }, card("Stored", place), el("div", { class: "stack-cards" }, putting(app), card("On their way", running))));
}

function row(content) {
  const name = content.name ?? short(content.root, 12, 8);
  return el("li", null, el("div", { class: "row" }, el("a", { class: "title grow", href: `#/files/${content.root}` }, name), marks(content.health)), el("span", { class: "muted small" }, `${bytes(content.size)} · paid until ${when(content.expiry_ms)}`));
}

/** Stored, replicated, proven: a word each. */
function marks(health) {
  if (!health) return tag("not looked at yet");
  const whole = health.stored === health.blocks;
  return el("span", { class: "row" }, whole ? tag("stored", "good") : tag(`${health.stored} of ${health.blocks} blocks`, "bad"), tag(`${health.fewest}×`, health.fewest > 1 ? "good" : "warn"), health.shown > 0 ? tag(`proven ${percent(health.confidence)}`, health.failures > 0 ? "warn" : "good") : tag("not proven yet"));
}

function putting(app) {
  const file = el("input", { type: "file", name: "file", required: true, "aria-label": "File" });
  const replicas = el("input", { type: "number", min: 1, max: 16, value: Math.min(3, Math.max(1, app.status.nodes)), name: "replicas" });
  const periods = el("input", { type: "number", min: 1, max: 1200, value: 1, name: "periods" });
  const button = el("button", { class: "main" }, "Put it");
  const wrong = el("div");
  const sent = el("div");
  const price = el("p", { class: "small muted" });
  const tellPrice = () => {
    const size = file.files[0]?.size;
    if (!size) return show(price, "Choose a file to see its price.");
    const fee = Math.ceil(size / 262144) * Number(app.status.content_base_fee) * 2 * Number(periods.value);
    return show(price, `${bytes(size)}, about ${Number(fee.toFixed(6))} SOUL for ${30 * Number(periods.value)} days, and the GAS of one transaction.`);
  };
  file.addEventListener("change", tellPrice);
  periods.addEventListener("input", tellPrice);
  tellPrice();
  const put = (event) => {
    event.preventDefault();
    const [chosen] = file.files;
    const bar = el("progress", { max: 1, value: 0, "aria-label": `Sending ${chosen.name} to the daemon` });
    busy(button, wrong, async () => {
      show(sent, el("p", { class: "small muted" }, `${chosen.name} goes to the daemon …`), bar);
      try {
        await upload(chosen, { replicas: replicas.value, periods: periods.value }, (done, total) => {
          bar.value = done / total;
        });
      } finally {
        show(sent);
      }
      say(`${chosen.name} has arrived at the daemon.`);
      // Another one may be chosen by now.
      if (file.files[0] === chosen) file.value = "";
      tellPrice();
    });
  };
  const drop = el("div", { class: "drop" }, el("span", { class: "muted" }, "Drop a file here, or choose one"), file);
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name !== "drop" || event.dataTransfer.files.length === 0) return;
      file.files = event.dataTransfer.files;
      tellPrice();
    });
  }
  const form = el("form", { onsubmit: put }, drop, el("div", { class: "fields" }, field("Nodes for each block", replicas), field("Periods of 30 days", periods)), price, sent, wrong, el("div", { class: "row end" }, button));
  return card("Put a file", form);
}

const PHASES = { receiving: "arriving", encrypting: "being encrypted", registering: "being registered on the chain", storing: "being stored on the nodes", done: "stored", failed: "failed" };

/** One file on its way, drawn anew at each event. */
function progress(jobs, place, job) {
  let item = jobs.get(job.id);
  if (!item) {
    item = el("li", { "data-upload": job.id });
    jobs.set(job.id, item);
    place.prepend(item);
  }
  const share = job.total_bytes === 0 ? 0 : job.done_bytes / job.total_bytes;
  const state = tag(PHASES[job.phase], job.phase === "done" ? "good" : job.phase === "failed" ? "bad" : "accent");
  const title = job.phase === "done" ? el("a", { class: "title grow", href: `#/files/${job.root}` }, job.name) : el("span", { class: "title grow" }, job.name);
  const moving = job.phase === "receiving" || job.phase === "storing";
  const bar = job.phase === "done" || job.phase === "failed" ? null : el("progress", { max: 1, "aria-label": `${job.name} is ${PHASES[job.phase]}`, ...(moving ? { value: share } : {}) });
  const paid = job.fee_soul ? el("span", { class: "muted small" }, `paid ${job.fee_soul} SOUL and ${job.gas} GAS`) : null;
  const wrong = el("div");
  const again = el("button", { class: "quiet" }, "Try again");
  again.addEventListener("click", () => busy(again, wrong, () => post(`/api/uploads/${job.id}/retry`)));
  const drop = el("button", { class: "quiet" }, "Forget it");
  drop.addEventListener("click", () => busy(drop, wrong, async () => {
    await remove(`/api/uploads/${job.id}`);
    jobs.delete(job.id);
    item.remove();
  }));
  show(item, el("div", { class: "row" }, title, state), bar, paid, job.error ? failure({ message: job.error }) : null, job.phase === "failed" ? el("div", { class: "row" }, again, drop) : null, wrong);
}

async function one(main, app, root) {
  const content = await get(`/api/contents/${root}`);
  const name = content.name ?? short(root, 12, 8);
  const health = el("div", { class: "stack-cards" });
  const drawHealth = async () => show(health, ...describe(await get(`/api/contents/${root}/health`)));
  const about = card("On the chain", facts(fact("Size", bytes(content.size)), fact("Paid until", when(content.expiry_ms), "text"), fact("Since", when(content.created_ms), "text"), fact("Priority", content.priority, "text")), el("div", null, el("span", { class: "small muted" }, "Root, which every block is checked against"), el("pre", null, content.root)));
  show(main, el("div", { class: "head" }, el("h1", null, name), el("a", { href: "#/files" }, "All files")), el("div", { class: "two" }, el("div", { class: "stack-cards" }, player(content, name), about), health));
  show(health, card("Health", empty("Asking the nodes …")));
  await drawHealth();
  follow(app, (kind, data) => (kind === "health" || kind === "proof") && data.root === root, drawHealth, 400);
}

function player(content, name) {
  const place = el("div");
  const wrong = el("div");
  const kind = (content.type ?? "").split("/")[0];
  const verb = { video: "Play", audio: "Play", image: "Show" }[kind] ?? "Save the file";
  const button = el("button", { class: "main" }, verb);
  button.addEventListener("click", () => busy(button, wrong, async () => {
    const { url } = await post(`/api/contents/${content.root}/ticket`);
    if (kind === "video" || kind === "audio") {
      const media = el(kind, { controls: true, src: url, preload: "metadata" });
      media.addEventListener("error", () => show(wrong, failure({ message: "It cannot be played: no node gives its blocks, or the browser does not know this kind." })));
      show(place, media);
      button.hidden = true;
      await media.play().catch(() => say("Press play."));
      media.focus();
    } else if (kind === "image") {
      show(place, el("img", { class: "picture", src: url, alt: name }));
    } else {
      const link = el("a", { href: url, download: name });
      document.body.append(link);
      link.click();
      link.remove();
    }
  }));
  return card("Content", place, wrong, el("div", { class: "row" }, button, el("span", { class: "small muted" }, "Fetched from the nodes, each block checked against the chain, decrypted on this machine.")));
}

function describe(health) {
  const { now, proofs, wanted } = health;
  const enough = wanted === null || now.fewest >= wanted;
  const summary = facts(fact("Stored", now.stored === now.blocks ? "all blocks" : `${now.stored} of ${now.blocks}`), fact("Copies", wanted ? `${now.fewest} of ${wanted}` : `${now.fewest}`), fact("Proofs shown", `${proofs.shown} of ${proofs.challenges}`), fact("Confidence", percent(Number(proofs.confidence))));
  const words = el("div", { class: "row" }, tag(now.stored === now.blocks ? "stored" : "blocks are missing", now.stored === now.blocks ? "good" : "bad"), tag(enough ? "replicated" : "too few copies", enough ? "good" : "warn"), tag(proofs.shown > 0 ? "proven" : "not proven yet", proofs.shown > 0 ? "good" : ""), proofs.failures > 0 ? tag(`${proofs.failures} failed`, "bad") : null);
  const why = el("p", { class: "small muted" }, "Confidence is how sure the chain's random draws make one that at least 99 % of the chunks are there. Copies are the nodes' own word.");
  return [card("Health", words, summary), card("Confidence over time", curve(health.history), why), holders(health)];
}

function curve(history) {
  if (history.length === 0) return empty("Nothing seen yet.");
  const points = history.map((sample) => [sample.time_ms, sample.confidence]);
  const last = points[points.length - 1];
  points.push([Date.now(), last[1]]);
  const label = `Confidence over time: ${percent(points[0][1])} ${ago(points[0][0])}, ${percent(last[1])} now, ${history.length} samples`;
  const highest = Math.max(...points.map((point) => point[1]));
  const top = [0.05, 0.1, 0.25, 0.5].find((edge) => edge > 1.15 * highest) ?? 1;
  return el("div", { class: "plot", id: "confidence" }, plot(points, { label, top, mark: (value) => `${Number((100 * value).toFixed(2))} %`, steps: true }));
}

function holders(health) {
  const rows = health.holders.map((node) => [el("span", null, node.at), mono(node.public_key, true), `${node.blocks} of ${health.now.blocks}`]);
  const offers = health.offers.length === 0 ? "No node offers proofs of it yet." : `${health.offers.length} nodes offer proofs of it.`;
  return card("Who holds it", rows.length === 0 ? empty("No node is known.") : table(["Node", "Key", "Blocks"], rows), el("p", { class: "small muted" }, offers));
}
