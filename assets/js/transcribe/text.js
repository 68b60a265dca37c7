import { h } from "../dom.js";
import { emotionColour, emotionMark, eventIcon, eventMark, isScore, sureLabel } from "../marks.js";
import { currentLang, lookup } from "../i18n.js";
import { clock } from "../wave.js";

// What was said, twice: as paragraphs to read and as a table to check. Both only grow.
const PAUSE_S = 2;
const LONGEST_S = 30;
const NO_SPACES = ["zh", "ja", "yue"];

/** The name of a language: from the label table, or else from the browser. */
export function languageName(code) {
  const key = `language_${code}`;
  return lookup(key) ? h("span", { t: key }) : h("span", {}, new Intl.DisplayNames([currentLang()], { type: "language" }).of(code));
}

const play = (start, ...children) =>
  h("button", { type: "button", class: "tr-time fa-num", "data-start": String(start), tTitle: "transcribe_from_here" }, ...children);

/** Paragraphs by speaker, or by pause where speakers are not known. Words are spans that know their times. */
export class Paragraphs {
  constructor() {
    this.element = h("div", { class: "tr-text" });
    this.clear();
  }

  clear() {
    this.element.replaceChildren();
    this.words = [];
    this.spans = [];
    this.lit = -1;
    this.last = null;
    this.body = null;
  }

  add(segment) {
    const marks = segment.events.filter(({ event }) => eventIcon(event)).map(eventMark);
    if (!segment.text.trim()) {
      if (marks.length) this.element.append(h("p", { class: "tr-para is-sound" }, play(segment.start, clock(segment.start)), h("span", { class: "tr-marks" }, ...marks)));
      this.body = null;
      return;
    }
    if (!this.body || this.breaksBefore(segment)) this.begin(segment);
    else if (!NO_SPACES.includes(segment.language)) this.body.append(" ");
    const said = h("span", { class: "tr-said", lang: segment.language, style: `--mark: var(${emotionColour(segment.emotion)})` });
    this.body.append(said);
    this.spell(said, segment);
    if (segment.emotion !== this.feeling) this.marks.append(emotionMark(segment.emotion, segment.emotion_confidence));
    this.feeling = segment.emotion;
    this.marks.append(...marks);
    this.last = segment;
  }

  breaksBefore({ start, end, speaker, language }) {
    const before = this.last;
    return speaker !== before.speaker || language !== before.language || start - before.end >= PAUSE_S || end - this.began > LONGEST_S;
  }

  begin({ start, speaker }) {
    this.began = start;
    this.feeling = null;
    this.body = h("span", { class: "tr-body" });
    this.marks = h("span", { class: "tr-marks" });
    const who = speaker ? h("span", { class: "fa-tag" }, speaker) : null;
    this.element.append(h("p", { class: "tr-para" }, play(start, clock(start)), h("span", { class: "tr-column" }, h("span", { class: "tr-head" }, who, this.marks), this.body)));
  }

  /** The segment's text as it is written, each word of it that has a time in a span of its own. */
  spell(place, { text, words, start }) {
    let at = 0;
    for (const [word, from, to, sure] of words) {
      const bare = word.trim();
      const found = bare ? text.indexOf(bare, at) : -1;
      if (found < 0) continue;
      if (found > at) place.append(text.slice(at, found));
      const span = h("span", { class: "tr-word", "data-start": String(from), "data-sure": sure < 0.5 ? "no" : null }, bare);
      place.append(span);
      this.words.push([from, to]);
      this.spans.push(span);
      at = found + bare.length;
    }
    const rest = text.slice(at);
    if (!words.length) place.append(h("span", { class: "tr-word", "data-start": String(start) }, rest));
    else if (rest) place.append(rest);
  }

  /** Lights the word that is said at `seconds` and gives its element where it is another than before. */
  light(seconds) {
    let [low, high] = [0, this.words.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.words[middle][0] <= seconds) low = middle;
      else high = middle - 1;
    }
    const now = this.words.length && this.words[low][0] <= seconds && seconds < this.words[low][1] + 0.15 ? low : -1;
    if (now === this.lit) return null;
    this.spans[this.lit]?.classList.remove("is-said");
    this.lit = now;
    this.spans[now]?.classList.add("is-said");
    return this.spans[now] ?? null;
  }

  /** Scrolls the text, and not the page, to a word that has left it. */
  keepInSight(span) {
    const [word, box] = [span.getBoundingClientRect(), this.element.getBoundingClientRect()];
    if (word.top < box.top || word.bottom > box.bottom) this.element.scrollTop += word.top - box.top - box.height / 3;
  }
}

const COLUMNS = ["transcribe_time", "transcribe_language", "transcribe_mood", "transcribe_sounds", "transcribe_words", "transcribe_sure"];

/** One row a segment. */
export class SegmentTable {
  constructor() {
    this.rows = h("tbody");
    this.element = h("div", { class: "tr-tablebox", tabindex: "0", role: "region", tLabel: "transcribe_segments" },
      h("table", { class: "tr-table" }, h("thead", {}, h("tr", {}, ...COLUMNS.map((t) => h("th", { scope: "col", t })))), this.rows));
  }

  clear() {
    this.rows.replaceChildren();
  }

  add({ start, end, language, emotion, emotion_confidence, events, text, confidence }) {
    const spoken = text.trim() !== "";
    this.rows.append(h("tr", {},
      h("td", {}, play(start, `${clock(start)} – ${clock(end)}`)),
      h("td", {}, languageName(language)),
      h("td", {}, spoken ? emotionMark(emotion, emotion_confidence) : "–"),
      h("td", {}, h("span", { class: "tr-marks" }, ...events.map(eventMark).filter(Boolean))),
      h("td", { class: "tr-cell-text", lang: spoken ? language : null }, text),
      h("td", {}, spoken && isScore(confidence) ? h("span", { class: "fa-confidence tr-sure", tabindex: "0", role: "img", tTitle: sureLabel(confidence), tLabel: sureLabel(confidence), style: "--mark: var(--accent)" }, h("span", { style: `width:${Math.round(confidence * 100)}%` })) : "")));
  }
}
