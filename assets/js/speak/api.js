import { lookup } from "../i18n.js";
import { routeUrl } from "../urls.js";

// The server's side of the studio. Voices belong to whoever has the secret of this browser.
const STORE = "funaudio.owner";
const SECRET_BYTES = 24;

function owner() {
  const kept = localStorage.getItem(STORE);
  if (kept) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const secret = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  localStorage.setItem(STORE, secret);
  return secret;
}

/** What the server refused, or that it was out of reach. `sentence` is a label key with its values, or words. */
export class Refusal extends Error {
  constructor(sentence) {
    super(String(sentence));
    this.sentence = sentence;
  }
}

/** The sentence of an error as the server writes it: {key, message, values}. */
export const sentenceOf = ({ key, message, values }) => (lookup(key) ? [key, values] : message ?? ["error_unknown"]);

/** The answer to a request, whatever is in it. Throws Refusal; an aborted one throws what `fetch` throws. */
export async function send(path, { method = "GET", json, form, signal } = {}) {
  const headers = { "X-FunAudio-Owner": owner(), ...(json ? { "Content-Type": "application/json" } : {}) };
  const answer = await fetch(routeUrl(path), { method, headers, signal, body: json ? JSON.stringify(json) : form }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Refusal(["speak_unreachable"]);
  });
  if (answer.ok) return answer;
  const { error } = (await answer.json().catch(() => null)) ?? {};
  throw new Refusal(error ? sentenceOf(error) : ["error_unknown"]);
}

/** The answer as JSON; null where it has no body. */
export async function ask(path, options) {
  const answer = await send(path, options);
  return answer.status === 204 ? null : answer.json();
}

/** Sends a sound (or a voice's file) as the form's field `file`. */
export function sendFile(path, file, { method = "POST", fields = {}, signal } = {}) {
  const form = new FormData();
  form.append("file", file, file.name ?? "recording.wav");
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  return ask(path, { method, form, signal });
}

/** Every object of an NDJSON answer, as it comes. Throws Refusal where the connection breaks. */
export async function* events(path, signal) {
  const answer = await send(path, { signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.trim()) yield JSON.parse(line);
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(["speak_broke_off"]);
  } finally {
    reader.cancel().catch(() => {}); // it may be broken already: then there is nothing left to close
  }
}

/** Hands the person a file. */
export function keepFile(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
