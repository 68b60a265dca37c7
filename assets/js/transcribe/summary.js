import { h } from "../dom.js";
import { icon } from "../icons.js";
import { emotionColour, eventIcon } from "../marks.js";
import { clock } from "../wave.js";
import { languageName } from "./text.js";

// What a recording comes to, and what can be taken home from it.
const FORMATS = ["txt", "srt", "vtt", "json", "tagged"];
const NOTHING = { languages: {}, moods: {}, sounds: {} };

const add = (counts, key, by) => ({ ...counts, [key]: (counts[key] ?? 0) + by });
const ranked = (counts) => Object.entries(counts).sort((a, b) => b[1] - a[1]);

/** The side panel. `onExport(format)` is called back. */
export class Summary {
  constructor({ onExport }) {
    this.facts = h("dl", { class: "tr-facts" });
    this.groups = { languages: h("ul", { class: "tr-bars" }), moods: h("ul", { class: "tr-bars" }), sounds: h("ul", { class: "tr-bars" }) };
    this.exports = FORMATS.map((format) => h("button", {
      type: "button", class: "fa-btn", "data-format": format, disabled: true, tTitle: "transcribe_export_wait", onclick: () => onExport(format),
    }, icon("save", 16), h("span", { t: `transcribe_as_${format}` })));
    const group = (name) => h("section", {}, h("h3", { class: "fa-label", t: `transcribe_${name}` }), this.groups[name]);
    this.element = h("aside", { class: "fa-card tr-side", tLabel: "transcribe_summary" },
      this.facts, group("languages"), group("moods"), group("sounds"),
      h("section", {}, h("h3", { class: "fa-label", t: "transcribe_export" }), h("div", { class: "tr-exports" }, ...this.exports)));
    this.clear();
  }

  clear() {
    this.counts = NOTHING;
  }

  add({ start, end, text, language, emotion, events }) {
    const { counts } = this;
    if (text.trim()) {
      this.counts = { ...counts, languages: add(counts.languages, language, end - start), moods: add(counts.moods, emotion, 1) };
    }
    for (const { event } of events) {
      if (eventIcon(event)) this.counts = { ...this.counts, sounds: add(this.counts.sounds, event, 1) };
    }
  }

  /** Draws what was counted, with the view's own figures. */
  show({ wave, speed }, some) {
    const { languages, moods, sounds } = this.counts;
    const facts = [];
    if (wave?.complete) facts.push(["transcribe_duration", clock(wave.duration)]);
    if (speed) facts.push(["transcribe_speed", { t: ["transcribe_times", { n: (1 / speed).toFixed(1) }], tTitle: ["transcribe_rtf", { n: speed.toFixed(2) }] }]);
    this.facts.replaceChildren(...facts.map(([t, what]) => h("div", {}, h("dt", { t }), typeof what === "string" ? h("dd", { class: "fa-num" }, what) : h("dd", { class: "fa-num", ...what }))));
    this.bars("languages", languages, languageName, clock, () => "--accent");
    this.bars("moods", moods, (mood) => h("span", { t: `emotion_${mood}` }), String, emotionColour);
    this.bars("sounds", sounds, (event) => h("span", { class: "tr-sound" }, icon(eventIcon(event), 16), h("span", { t: `event_${event}` })), String, () => "--event");
    for (const button of this.exports) {
      button.disabled = !some;
      button.title = "";
      if (some) delete button.dataset.t;
    }
  }

  bars(name, counts, word, figure, colour) {
    const list = ranked(counts);
    const most = list[0]?.[1] ?? 1;
    this.groups[name].parentElement.hidden = !list.length;
    this.groups[name].replaceChildren(...list.map(([key, count]) => h("li", { style: `--mark: var(${colour(key)}); --share: ${(100 * count) / most}%` },
      word(key), h("span", { class: "fa-num fa-quiet" }, figure(count)))));
  }
}
