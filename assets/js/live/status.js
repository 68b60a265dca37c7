import { h, iconButton } from "../dom.js";
import { label } from "../i18n.js";
import { icon } from "../icons.js";

const WORDS = {
  start: "live_start", connecting: "connecting", reconnecting: "live_reconnecting", loading: "stage_loading", listening: "live_listening",
  waiting: "live_waiting", hearing: "live_hearing", thinking: "stage_thinking", speaking: "stage_speaking", held: "live_held",
  muted: "live_muted", ended: "live_ended",
};
const HINTS = {
  start: "live_hint_start", ended: "live_hint_ended", listening: "live_hint_listening", speaking: "live_hint_speaking", held: "live_hint_held",
  muted: "live_hint_muted", waiting: "live_hint_waiting", full: "live_hint_full", reconnecting: "live_hint_reconnecting",
};
const TOLD = new Set(["full", "reconnecting", "loading", "ended"]); // a screen reader says these; the others would talk into the conversation

/** The words under the button: what goes on, what can be done about it; and one sentence where something is wrong. */
export class Status {
  constructor() {
    this.word = h("p", { class: "fa-live-word" });
    this.hint = h("p", { class: "fa-quiet fa-live-hint" });
    this.progress = h("div", { class: "fa-status" });
    this.told = h("p", { class: "fa-sr", role: "status" });
    this.element = h("div", { class: "fa-live-status" }, this.word, this.hint, this.progress, this.told);
    this.note = h("div", { class: "fa-note", role: "status", hidden: true });
    this.shown = "";
  }

  /** `position` in the queue, what is `loading` {sentence, share}, how long until the server is tried again (`lost.wait`, in seconds). */
  show(state, { position, loading, lost }) {
    const unanswered = state === "connecting" && lost?.wait > 1;
    const word = state === "full" ? ["live_full", { n: position }] : WORDS[state];
    const hint = unanswered ? ["reconnect_wait", { n: lost.wait }] : HINTS[state];
    const shown = JSON.stringify([word, hint, loading]);
    if (shown === this.shown) return;
    this.shown = shown;
    label(this.word, "text", word);
    this.hint.hidden = !hint;
    if (hint) label(this.hint, "text", hint);
    this.showProgress(loading);
    this.told.hidden = !TOLD.has(state);
    if (TOLD.has(state)) label(this.told, "text", loading?.sentence ?? word);
  }

  showProgress(loading) {
    this.progress.replaceChildren();
    if (!loading) return;
    this.progress.append(h("span", { t: loading.sentence }));
    if (loading.share === undefined) return;
    const percent = Math.round(loading.share * 100);
    this.progress.append(
      h("span", { class: "fa-progress", role: "progressbar", "aria-valuenow": String(percent), "aria-valuemin": "0", "aria-valuemax": "100", tLabel: loading.sentence },
        h("span", { style: `width:${percent}%` })),
      h("span", { class: "fa-num", t: ["percent", { n: percent }] }));
  }

  /** One sentence, until the next; null takes it away. */
  say(sentence) {
    this.note.hidden = !sentence;
    if (!sentence) return;
    const text = h("span", { class: "fa-grow" });
    if (Array.isArray(sentence)) label(text, "text", sentence);
    else text.textContent = sentence;
    this.note.replaceChildren(icon("alert", 20), text, iconButton("close", "dismiss", () => this.say(null), { class: "fa-iconbtn is-small" }));
  }
}
