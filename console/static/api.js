// The daemon's API. The token goes in a header, which no other page can make this browser send.

const PLACE = "phantasma-token";
let token = sessionStorage.getItem(PLACE);

/** Takes the token out of the address (`#token=…`), so that it stays in no history. */
export function takeToken() {
  const found = /^#token=([0-9a-f]+)$/.exec(location.hash);
  if (found) {
    keepToken(found[1]);
    history.replaceState(null, "", "#/boxes");
  }
  return token !== null;
}

export function keepToken(text) {
  token = text;
  if (text === null) sessionStorage.removeItem(PLACE);
  else sessionStorage.setItem(PLACE, text);
}

/** A refusal: `code` for programs, `message` for people, and `line`, `column`, `hint` of the assembler. */
export class Refusal extends Error {
  constructor(status, error) {
    super(error?.message ?? `the daemon answered ${status}`);
    Object.assign(this, { status, code: error?.code ?? "unknown", line: error?.line, column: error?.column, hint: error?.hint });
  }
}

const headers = () => ({ authorization: `Bearer ${token}` });

async function ask(method, path, body) {
  const options = { method, headers: headers() };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refusal(0, { code: "away", message: "The daemon does not answer. Is `phantasma serve` still running?" });
  }
  const data = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refusal(answer.status, data?.error);
  return data;
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const remove = (path) => ask("DELETE", path);

/** Sends a file, telling how many bytes have left; gives the upload's number. */
export function upload(file, options, progress) {
  const query = new URLSearchParams({ name: file.name, type: file.type, ...options });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/uploads?${query}`);
    request.setRequestHeader("authorization", `Bearer ${token}`);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => progress(event.loaded, event.total));
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(request.response.id);
      else reject(new Refusal(request.status, request.response?.error));
    });
    request.addEventListener("error", () => reject(new Refusal(0, { message: "The file broke off. Is the daemon still running?" })));
    request.send(file);
  });
}

/** Listens to events until the page goes; `tell(kind, data)`, and `tell("connected")`, `tell("lost")`. */
export async function listen(tell) {
  for (;;) {
    try {
      const answer = await fetch("/api/events", { headers: headers() });
      if (answer.status === 401 || answer.status === 403) return;
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      tell("connected", {});
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        const events = text.split("\n\n");
        text = events.pop();
        for (const event of events) dispatch(event, tell);
      }
    } catch {
      // Said below: the daemon is away, or restarts.
    }
    tell("lost", {});
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

function dispatch(event, tell) {
  const lines = event.split("\n");
  const of = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
  const [kind] = of("event");
  const data = of("data").join("\n");
  if (kind && data) tell(kind, JSON.parse(data));
}
