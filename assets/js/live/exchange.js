import { h } from "../dom.js";
import { t } from "../i18n.js";
import { latencyBar } from "../talk/latency.js";
import { Said } from "../talk/said.js";
import { marksOf } from "../talk/turn.js";

/** What the person said and what was answered, as it is said. */
export class Exchange {
  constructor() {
    this.answered = false; // a reply was begun
    this.words = h("p", { class: "fa-text", dir: "auto" });
    this.marks = h("span", { class: "fa-marks" });
    this.you = h("section", { class: "fa-line is-you", hidden: true }, h("header", {}, h("h3", { t: "you" }), this.marks), this.words);
    this.said = new Said();
    this.notes = h("span", { class: "fa-marks" });
    this.it = h("section", { class: "fa-line is-it", hidden: true }, h("header", {}, h("h3", { t: "it" }), this.notes), this.said.element);
    this.foot = h("footer", { class: "fa-foot" });
    this.element = h("article", { class: "fa-exchange" }, this.you, this.it, this.foot);
  }

  /** What was understood so far; it may change. `events` are names. */
  partial({ transcript, language, emotion, events }) {
    const marks = events.map((event) => ({ event, confidence: 1 }));
    this.show(transcript, [{ language, emotion, emotion_confidence: 1, text: transcript, events: marks }]);
    this.you.classList.add("is-partial");
  }

  /** What was understood in the end. */
  heard(transcript, segments) {
    this.show(transcript, segments);
    this.you.classList.remove("is-partial");
  }

  show(transcript, segments) {
    this.words.textContent = transcript;
    this.marks.replaceChildren(...marksOf(segments));
    this.you.hidden = !transcript.trim() && !this.marks.querySelector(".fa-event");
  }

  /** More of the reply's text. */
  write(text) {
    this.it.hidden = false;
    this.said.write(text);
  }

  /** The words of a piece of speech that begins at `offset` seconds. */
  speak(words, offset) {
    this.said.speak(words, offset);
  }

  /** Lights the words up to `seconds`. */
  light(seconds) {
    this.said.light(seconds);
  }

  /** The reply was broken off after `seconds`: what was not heard of it is struck. */
  cut(seconds) {
    const { words, tail, element, text } = this.said;
    this.said.settle();
    if (!text) return;
    tail.data = tail.data.trimEnd();
    this.notes.append(h("span", { class: "fa-tag", t: "live_interrupted" }));
    const first = seconds ? words.find(({ start }) => start >= seconds)?.element ?? (words.length ? tail : null) : element.firstChild;
    if (!first) return; // an engine that does not say when it says which word
    const unheard = document.createRange();
    unheard.setStartBefore(first);
    unheard.setEndAfter(tail);
    unheard.surroundContents(h("s", { class: "fa-cut", tTitle: "live_unheard" }));
  }

  /** The reply was heard to its end; `gaps`: how often its sound came too late. */
  finish(gaps) {
    this.said.settle();
    if (gaps) this.notes.append(h("span", { class: "fa-quiet", t: ["live_gaps", { n: gaps }] }));
  }

  measured(latency) {
    if (latency?.total_s !== undefined) this.foot.append(latencyBar(latency));
  }

  /** A sound that was not taken for a turn. */
  ignored(reason, transcript) {
    const what = transcript?.trim() && h("q", { dir: "auto" }, transcript.trim());
    this.foot.before(h("p", { class: "fa-ignored fa-quiet" }, what, h("span", { t: `live_ignored_${reason}` })));
  }

  /** For screen readers. */
  summary(side) {
    return side === "you" ? `${t("you")}: ${this.words.textContent}` : `${t("it")}: ${this.said.text.trim()}`;
  }
}
