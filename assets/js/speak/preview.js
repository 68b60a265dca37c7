import { decodePcm } from "../audio/pcm.js";
import { output, Player } from "../audio/player.js";
import { lookup } from "../i18n.js";
import { ask, events, Refusal, sentenceOf } from "./api.js";

// A voice is heard by a short take of one sentence in its own language.
const KEPT = 24; // samples, so that a voice that was just heard is heard again at once
const heard = new Map(); // what was asked for -> [{samples, rate}]

/** The sentence that a voice is heard by. */
export const sampleText = ([language]) => lookup(`speak_sample_${language}`) ?? lookup("speak_sample_en");

/**
 * Lets a voice be heard. `asked` is what a take is asked for with, without its text; `languages` the voice's, its own
 * first. `onState` hears "waiting", "playing" and "" in turn. Throws Refusal. Returns what stops it.
 */
export function preview(asked, languages, onState) {
  output();
  const abort = new AbortController();
  const body = { ...asked, text: sampleText(languages), language: languages[0] };
  const key = JSON.stringify(body);
  let player = null;
  const begin = () => {
    player = new Player({ onEnd: () => { abort.abort(); onState(""); } });
    onState("playing");
  };

  async function work() {
    const kept = heard.get(key);
    if (kept) {
      begin();
      kept.forEach(({ samples, rate }) => player.add(samples, rate));
      player.finish();
      return;
    }
    onState("waiting");
    const pieces = [];
    const { id } = await ask("v1/speak/takes", { method: "POST", json: body, signal: abort.signal });
    try {
      for await (const event of events(`v1/speak/takes/${id}/events?from=0`, abort.signal)) {
        if (event.type === "failed") throw new Refusal(sentenceOf(event.error));
        if (event.type !== "said") continue;
        const samples = decodePcm(event.pcm);
        pieces.push({ samples, rate: event.rate });
        if (!player) begin();
        player.add(samples, event.rate);
      }
    } finally {
      ask(`v1/speak/takes/${id}`, { method: "DELETE" }).catch(() => {}); // it is gone by itself in an hour
    }
    player?.finish();
    heard.set(key, pieces);
    if (heard.size > KEPT) heard.delete(heard.keys().next().value);
  }

  const done = work().catch((error) => {
    if (player?.playing) player.stop();
    else onState("");
    if (error.name !== "AbortError") throw error;
  });
  return {
    done,
    stop() {
      abort.abort();
      if (player?.playing) player.stop();
    },
  };
}

/** A round button that lets a voice be heard; `asked()` and `languages()` say which, `notice` what went wrong. */
export class Preview {
  constructor(button, { asked, languages, notice }) {
    this.button = button;
    this.running = null;
    button.addEventListener("click", () => {
      if (this.running) {
        this.running.stop();
        return;
      }
      notice.over(() => {
        this.running = preview(asked(), languages(), (state) => this.paint(state));
        return this.running.done;
      });
    });
  }

  paint(state) {
    if (!state) this.running = null;
    this.button.classList.toggle("is-waiting", state === "waiting");
    this.button.classList.toggle("is-playing", state === "playing");
  }
}
