// Small helpers: elements, words for numbers, messages to people. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "disabled" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

/** An element with attributes, listeners (`onclick`) and children. */
export const el = (tag, props, ...children) => fill(document.createElement(tag), props, children);

/** The same for drawings. */
export const draw = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);

/** Puts children in place of what was there. */
export const show = (node, ...children) => node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));

export const card = (title, ...children) => el("section", { class: "card", "aria-label": title }, el("h2", null, title), ...children);
export const tag = (text, kind = "") => el("span", { class: `tag ${kind}` }, text);
export const fact = (name, value, kind = "") => el("div", null, el("dt", null, name), el("dd", { class: kind }, value));
export const facts = (...rows) => el("dl", { class: "facts" }, rows);
export const empty = (text) => el("p", { class: "empty" }, text);
export const field = (name, input, hint) => el("label", null, name, input, hint ? el("span", { class: "small muted" }, hint) : null);
export const failure = (error) => el("p", { class: "error", role: "alert" }, error.message ?? String(error));

export function table(heads, rows) {
  const head = heads.map((name) => el("th", { scope: "col" }, name));
  const body = rows.map((cells) => el("tr", null, cells.map((cell) => el("td", null, cell))));
  return el("div", { class: "scroll" }, el("table", null, el("thead", null, el("tr", null, head)), el("tbody", null, body)));
}

export function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = count, unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

export const percent = (part) => `${(100 * part).toFixed(part > 0.999 && part < 1 ? 2 : 1)} %`;
export const short = (text, left = 8, right = 6) => (text.length > left + right + 1 ? `${text.slice(0, left)}…${text.slice(-right)}` : text);
export const mono = (text, cut = false) => el("span", { class: "mono", title: text }, cut ? short(text) : text);

export function when(ms) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(ms));
}

/** A time as it is told apart from another one: by the clock on the same day. */
export function moment(ms, other) {
  const [here, there] = [new Date(ms), new Date(other)];
  return here.toDateString() === there.toDateString() ? here.toLocaleTimeString() : when(ms);
}

export function ago(ms) {
  const seconds = Math.round((Date.now() - ms) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return when(ms);
}

/** Says something in passing, to eyes and to screen readers. */
export function say(text) {
  const note = el("p", null, text);
  document.getElementById("live").append(note);
  setTimeout(() => note.remove(), 6000);
}

/** A content's value as people read it. */
export function words(value) {
  if (value === null || value === undefined) return "(nothing)";
  if (typeof value === "object") return value.text ?? (value.hex !== undefined ? `0x${value.hex}` : JSON.stringify(value));
  return String(value);
}

/** Runs `work` while the button waits, and shows what goes wrong in `place`. */
export async function busy(button, place, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  show(place);
  try {
    return await work();
  } catch (error) {
    show(place, failure(error));
    return undefined;
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

/** Runs once after a burst of calls, when there was a moment of quiet. */
export function settled(work, wait = 250) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, wait);
  };
}

/** Draws anew after events that fit, as long as the section is shown. */
export function follow(app, fits, draw, wait = 300) {
  const soon = settled(() => draw().catch((error) => say(error.message)), wait);
  app.listeners.add((kind, data) => {
    if (kind === "missed" || fits(kind, data)) soon();
  });
}
