// What a person does on the daemon's page: a box, a gate, the debugger, a film with progress, its proofs, the rest.
// URL holds the token; FILM is a webm file; LARGE one of many blocks; PICTURES is a folder for the screenshots.

import assert from "node:assert/strict";
import { withPage } from "./page.mjs";

const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 30_000);
const OWNER_WRITES = "; The owner writes, everybody reads.\nSTATE own\nSTATE write\nGE\n";

await withPage(async (page) => {
  const wrong = [];
  page.on("console", (message) => {
    // A refusal that the page shows (an editor's text that is no gate yet) is logged by the browser as well.
    if (message.type() === "error" && !message.text().includes("status of 422")) wrong.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(process.env.URL).origin) && !request.url().startsWith("blob:")) wrong.push(`asks elsewhere: ${request.url()}`);
  });
  await page.setViewportSize({ width: 1280, height: 860 });
  await door(page);
  await box(page);
  await gate(page);
  const root = await film(page);
  await proofs(page, root);
  await rest(page);
  await keyboard(page);
  await phone(page, root);
  assert.deepEqual(wrong, []);
});
console.log("all of it");

function heading(page, name) {
  return page.getByRole("heading", { level: 1, name }).waitFor();
}

async function picture(page, name, options = {}) {
  await page.evaluate(() => {
    document.activeElement?.blur();
    window.scrollTo(0, 0);
    document.getElementById("live").replaceChildren();
  });
  await page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, animations: "disabled", ...options });
}

async function section(page, name, title = name) {
  await page.getByRole("navigation", { name: "Sections" }).getByRole("link", { name }).click();
  await heading(page, title);
}

/** Without a token there is a door; with one the address keeps nothing of it. */
async function door(page) {
  const address = new URL(process.env.URL);
  await page.goto(address.origin);
  await heading(page, "Who is there?");
  await page.goto(process.env.URL);
  await page.reload();
  await heading(page, "Boxes");
  assert.ok(!page.url().includes("token"), page.url());
  await page.locator("#status").getByText(/block \d+/).waitFor();
}

async function box(page) {
  const form = page.getByRole("region", { name: "A new box" });
  await form.getByLabel("Name").fill("letters");
  await form.getByLabel("Gate").selectOption({ label: "Everybody reads, the owner writes" });
  await form.getByText("Anybody else may read").waitFor();
  await form.getByRole("button", { name: "Create the box" }).click();
  await heading(page, "letters");
  await page.getByLabel("Text").fill("Dear reader,\nthis stands on the chain.");
  await page.getByRole("button", { name: "Write" }).click();
  // The page learns of it by the chain's own event.
  const contents = page.getByRole("region", { name: "Contents" });
  await contents.getByText("this stands on the chain").waitFor();
  await contents.getByRole("button", { name: "Read content 0" }).click();
  await page.locator("#live").getByText("that is what a reader gets").waitFor();
  await section(page, "Boxes");
  await page.getByRole("link", { name: "letters" }).waitFor();
}

async function gate(page) {
  await section(page, "Gate editor");
  const text = page.getByLabel("Assembler");
  const meaning = page.getByRole("region", { name: "What it means" });
  await text.fill("STATE own\nSTATE wirte\nGE\n");
  await meaning.getByRole("alert").waitFor();
  await meaning.getByText("line 2, column 7").waitFor();
  await page.getByRole("button", { name: "Create a box with it" }).isDisabled();
  // Edited until it says what is wanted.
  await text.fill("STATE own\n");
  await meaning.getByText("Only the owner may read and write").waitFor();
  await text.fill(OWNER_WRITES);
  await meaning.getByText("Anybody else may read").waitFor();
  const cost = page.getByRole("region", { name: "What it takes at most" });
  const gas = Number(await cost.locator("dd").first().textContent());
  assert.ok(gas > 0.01 && gas < 1, `${gas} GAS`);

  const steps = page.getByRole("region", { name: "Step through it" });
  await steps.getByRole("button", { name: "Run" }).click();
  await steps.getByText("refused", { exact: true }).waitFor();
  const now = steps.locator("li[aria-current=step]");
  assert.match(await now.textContent(), /STATE own/);
  await steps.getByRole("button", { name: "Step" }).press("ArrowRight");
  assert.match(await now.textContent(), /STATE write/);
  // A stranger is not the owner: false lies on the stack, which is 0 for GE.
  assert.match(await steps.getByRole("list", { name: "Stack" }).textContent(), /false|0/);
  await steps.getByRole("button", { name: "Back" }).click();
  assert.match(await now.textContent(), /STATE own/);
  await steps.getByRole("button", { name: "Breakpoint at byte 4" }).click();
  await steps.getByRole("button", { name: "Go on" }).click();
  assert.match(await now.textContent(), /GE/);
  await picture(page, "console-gates", { fullPage: true });
  await steps.getByLabel("Who").selectOption({ label: "The owner" });
  await steps.getByRole("button", { name: "Run" }).click();
  await steps.getByText("let in", { exact: true }).waitFor();
  await page.getByLabel("Name of a new box").fill("film");
  await page.getByRole("button", { name: "Create a box with it" }).click();
  await heading(page, "film");
}

/** Puts a file and gives what a person saw of its way: the phases, and the shares of the bar. */
async function putFile(page, path) {
  await page.evaluate(() => {
    globalThis.seen = { phases: new Set(), shares: new Set() };
    const look = () => {
      const item = document.querySelector("[data-upload]");
      if (!item) return;
      globalThis.seen.phases.add(item.querySelector(".tag").textContent);
      const bar = item.querySelector("progress");
      if (bar) globalThis.seen.shares.add(bar.value);
    };
    globalThis.looking?.disconnect();
    globalThis.looking = new MutationObserver(look);
    globalThis.looking.observe(document.getElementById("main"), { subtree: true, childList: true, attributes: true });
  });
  const form = page.getByRole("region", { name: "Put a file" });
  await form.getByLabel("File", { exact: true }).setInputFiles(path);
  await form.getByText(/about .* SOUL for 30 days/).waitFor();
  await form.getByRole("button", { name: "Put it" }).click();
  const first = page.getByRole("list", { name: "On their way" }).getByRole("listitem").first();
  await first.getByRole("link", { name: path.split("/").pop() }).waitFor();
  await first.getByText("stored", { exact: true }).waitFor();
  return page.evaluate(() => ({ phases: [...globalThis.seen.phases], shares: [...globalThis.seen.shares] }));
}

/** Puts a large file and the film, and plays the film; gives its root. */
async function film(page) {
  await section(page, "Files");
  const large = await putFile(page, process.env.LARGE);
  assert.ok(large.phases.includes("being stored on the nodes"), JSON.stringify(large));
  assert.ok(large.shares.filter((share) => share > 0 && share < 1).length > 1, JSON.stringify(large));
  await putFile(page, process.env.FILM);
  const link = page.getByRole("list", { name: "On their way" }).getByRole("link", { name: "evening.webm" }).first();
  const root = (await link.getAttribute("href")).split("/").pop();
  await page.getByRole("region", { name: "Stored" }).getByRole("link", { name: "evening.webm" }).first().waitFor();
  await picture(page, "console-files");
  await link.click();
  await heading(page, "evening.webm");

  const statuses = [];
  page.on("response", (response) => {
    if (response.url().includes("/media/")) statuses.push(response.status());
  });
  await page.getByRole("button", { name: "Play" }).click();
  const video = page.locator("video");
  await video.waitFor();
  await page.waitForFunction(() => document.querySelector("video")?.currentTime > 0.5, null, { timeout: PATIENCE_MS });
  assert.equal(await video.evaluate((media) => media.videoWidth), 640);
  // Jumping needs ranges.
  await video.evaluate((media) => {
    media.currentTime = media.duration - 1.5;
  });
  await page.waitForFunction(() => {
    const media = document.querySelector("video");
    return !media.seeking && media.currentTime > media.duration - 1.5;
  }, null, { timeout: PATIENCE_MS });
  await video.evaluate((media) => media.pause());
  assert.ok(statuses.length > 0 && statuses.every((status) => status === 206), statuses.join());
  return root;
}

async function proofs(page, root) {
  const health = page.getByRole("region", { name: "Health" });
  await health.getByText("proven", { exact: true }).waitFor();
  await health.getByText("replicated", { exact: true }).waitFor();
  // Some challenges answered, each a step of the curve.
  await page.waitForFunction(() => {
    const text = document.querySelector("section[aria-label='Health']")?.textContent ?? "";
    const found = /Proofs shown(\d+) of (\d+)/.exec(text);
    // None under way, which would count as missed.
    return found && Number(found[1]) >= 6 && found[1] === found[2];
  }, null, { timeout: PATIENCE_MS });
  const curve = page.locator("#confidence path.line");
  assert.ok(((await curve.getAttribute("d")).match(/V/g) ?? []).length >= 2);
  assert.match(await page.locator("#confidence svg").getAttribute("aria-label"), /% now/);
  const holders = page.getByRole("region", { name: "Who holds it" });
  assert.equal(await holders.locator("tbody tr").count(), 3);
  await picture(page, "console-file");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "console-file-dark");
  await page.emulateMedia({ colorScheme: "light" });
  assert.ok(page.url().endsWith(root));
}

async function rest(page) {
  await section(page, "Network");
  const map = page.locator("#network-map");
  await map.waitFor();
  assert.equal(await map.locator("circle.node").count(), 3);
  const table = page.getByRole("region", { name: "Nodes" });
  await table.getByText(/validator|prover/).first().waitFor();
  await picture(page, "console-network");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "console-network-dark");
  await page.emulateMedia({ colorScheme: "light" });

  await section(page, "Relay");
  const traffic = page.getByRole("region", { name: "Traffic" });
  const accepted = traffic.locator("div", { has: page.locator("dt", { hasText: "Accepted" }) }).locator("dd").first();
  await accepted.waitFor();
  assert.ok(Number(await accepted.textContent()) >= 3);
  await page.locator("section[aria-label='Messages a second'] svg").waitFor();

  await section(page, "Rewards");
  await page.getByRole("region", { name: "Now" }).getByText("Storage pool").waitFor();

  await section(page, "Wallet");
  const balance = page.getByRole("region", { name: "Balance" });
  await balance.getByText("SOUL").waitFor();
  await page.getByRole("region", { name: "Tokens" }).getByLabel("Name").fill("player");
  await page.getByLabel("Good for").selectOption("read,decrypt");
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByText("The secret of player").waitFor();
  await page.getByRole("button", { name: "Revoke player" }).click();
  await page.getByRole("cell", { name: "player", exact: true }).waitFor({ state: "detached" });
}

/** From the first Tab on: past the menu, through the menu, and nothing without a name. */
async function keyboard(page) {
  await section(page, "Boxes");
  await page.reload();
  await heading(page, "Boxes");
  // The content has the focus from the start; before it stand the menu and the way past it.
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.section), "wallet");
  await page.locator("#skip").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  const link = page.getByRole("navigation", { name: "Sections" }).getByRole("link", { name: "Wallet" });
  await link.focus();
  await page.keyboard.press("Enter");
  await heading(page, "Wallet");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  for (const name of ["Boxes", "Gate editor", "Files", "Wallet"]) {
    await section(page, name);
    const nameless = await page.evaluate(() => [...document.querySelectorAll("input, select, textarea, button")]
      .filter((one) => !one.labels?.length && !one.getAttribute("aria-label") && !one.textContent.trim())
      .map((one) => one.outerHTML));
    assert.deepEqual(nameless, [], name);
  }
  assert.equal(await page.locator("main, nav, header").count(), 3);
}

/** On a phone nothing is wider than the screen. */
async function phone(page, root) {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of ["Boxes", "Gate editor", "Files", "Network", "Relay", "Rewards", "Wallet"]) {
    await section(page, name);
    await page.waitForTimeout(300);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
  }
  await page.goto(`${new URL(page.url()).origin}/#/files/${root}`);
  await heading(page, "evening.webm");
  await page.getByRole("region", { name: "Confidence over time" }).waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `the file is ${wide} px too wide`);
  await picture(page, "console-phone");
}
