import { decodePcm, join, peaksOf, RATE, wavBlob } from "../audio/pcm.js";
import { Player } from "../audio/player.js";
import { h, iconButton } from "../dom.js";
import { label, t } from "../i18n.js";
import { icon } from "../icons.js";
import { emotionMark, eventMark } from "../marks.js";
import { clock, Wave } from "../wave.js";
import { latencyBar } from "./latency.js";
import { Said } from "./said.js";

const STAGES = ["hearing", "understanding", "thinking", "speaking"];
const PEAKS_PER_S = 40;
const COPIED_MS = 1500;

function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  button.replaceChildren(icon("check", 18));
  label(button, "title", "copied");
  setTimeout(() => {
    button.replaceChildren(icon("copy", 18));
    label(button, "title", "copy_text");
  }, COPIED_MS);
}

/** One side of a turn: its sound as a waveform that plays, its words, and what can be done with them. */
class Side {
  constructor(who, number, body) {
    this.samples = null;
    this.data = { peaks: [], duration: 0, label: who === "you" ? "wave_you" : "wave_it", tone: who === "you" ? "" : "reply" };
    this.canvas = h("canvas", { hidden: true });
    this.wave = new Wave(this.canvas, this.data);
    this.time = h("span", { class: "fa-quiet fa-num" });
    this.marks = h("span", { class: "fa-marks" });
    const small = { class: "fa-iconbtn is-small", hidden: true };
    this.play = iconButton("play", "again", () => this.toggle(), small);
    this.save = iconButton("save", "save_sound", () => download(wavBlob(this.samples), `${number}-${who}.wav`), small);
    this.copy = iconButton("copy", "copy_text", () => copy(this.copy, this.text()), small);
    this.element = h("section", { class: `fa-side is-${who}` },
      h("header", {}, h("h3", { t: who }), this.time, this.marks, h("span", { class: "fa-acts" }, this.play, this.save, this.copy)),
      this.canvas, body);
    this.wave.onSeek((seconds) => this.samples && this.start(seconds));
    this.player = null;
    this.onPosition = () => {};
  }

  text() { return ""; }

  setSound(samples, data = {}) {
    this.samples = samples;
    const duration = samples ? samples.length / RATE : data.duration;
    Object.assign(this.data, { duration, peaks: samples ? peaksOf(samples, Math.ceil(duration * PEAKS_PER_S)) : [] }, data);
    this.show();
  }

  show() {
    this.canvas.hidden = !this.data.peaks.length;
    this.wave.setData(this.data);
    this.time.textContent = this.data.duration ? clock(this.data.duration) : "";
    this.canvas.classList.toggle("has-events", this.wave.events.some((event) => eventMark(event)));
    this.play.hidden = this.save.hidden = !this.samples;
    this.copy.hidden = !this.text();
  }

  toggle() {
    if (this.player?.playing) this.player.stop();
    else this.start(0);
  }

  start(from) {
    const player = this.follow(new Player({ from, ...this.listeners() }));
    player.add(this.samples);
    player.finish();
  }

  listeners() {
    return {
      onTick: (seconds) => {
        this.wave.setPosition(seconds);
        this.onPosition(seconds);
      },
      onEnd: () => this.paintPlay(false),
    };
  }

  follow(player) {
    this.player = player;
    this.paintPlay(true);
    return player;
  }

  paintPlay(playing) {
    this.play.replaceChildren(icon(playing ? "stop" : "play", 18));
    for (const where of ["aria-label", "title"]) label(this.play, where, playing ? "stop_sound" : "again");
    if (!playing) this.wave.setPosition(null);
  }
}

/** One exchange: what the person said and how it was heard, what was answered and how long that took. */
export class Turn {
  /** `said`: {samples} recorded, {bytes, name} a file, or {text} typed. */
  constructor(number, said) {
    this.said = said;
    this.state = "waiting"; // then "working", "done", "stopped" or "failed"
    this.pieces = [];
    this.item = null; // the reply's id in the conversation
    this.fresh = null; // the player of the reply as it comes
    this.words = h("p", { class: "fa-text", dir: "auto" });
    this.you = new Side("you", number, this.words);
    this.you.text = () => this.words.textContent;
    this.reply = new Said();
    this.foot = h("div", { class: "fa-foot" });
    this.stages = h("ol", { class: "fa-stages", tLabel: "stages" },
      ...STAGES.map((stage) => h("li", { "data-stage": stage, t: `stage_${stage}` })));
    this.it = new Side("it", number, h("div", {}, this.stages, this.reply.element, this.foot));
    this.it.text = () => this.reply.text.trim();
    this.it.onPosition = (seconds) => this.reply.light(seconds);
    this.it.paintPlay = (playing) => {
      Side.prototype.paintPlay.call(this.it, playing);
      if (playing) this.reply.unsettle();
      else this.reply.settle();
    };
    this.element = h("article", { class: "fa-turn fa-card" }, this.you.element, this.it.element);
    if (said.text) {
      this.words.textContent = said.text;
      this.you.marks.append(h("span", { class: "fa-quiet", t: "you_typed" }));
    } else if (said.name) {
      this.you.marks.append(h("span", { class: "fa-quiet fa-filename", dir: "auto" }, said.name));
    }
    this.you.setSound(said.samples ?? null, said.samples ? {} : { duration: 0 });
  }

  /** Lights one stage; those before it are done. */
  stage(name) {
    const now = STAGES.indexOf(name);
    [...this.stages.children].forEach((step, i) => {
      step.classList.toggle("is-done", i < now);
      step.classList.toggle("is-now", i === now);
      if (i === now) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    this.stages.hidden = now < 0;
  }

  /** What was heard, in words and beyond them. */
  heard(transcript, { duration, peaks, segments }) {
    this.you.setSound(this.you.samples, { duration, peaks, segments });
    if (transcript.trim()) this.words.textContent = transcript;
    else label(this.words, "text", "nothing_said");
    this.words.classList.toggle("is-quiet", !transcript.trim());
    this.you.marks.replaceChildren(...marksOf(segments));
    this.you.show();
  }

  write(text) {
    this.reply.write(text);
    this.it.copy.hidden = false;
  }

  /** A piece of the reply's speech arrived; it is played if the turn is still wanted. */
  speak(delta, { words = [], style }) {
    const samples = decodePcm(delta);
    const offset = this.it.data.duration;
    if (!this.pieces.length) {
      this.fresh = this.it.follow(new Player(this.it.listeners()));
      if (style) this.it.marks.replaceChildren(h("span", { class: "fa-quiet", t: `said_${style}` }));
    }
    this.pieces.push(samples);
    this.it.player.add(samples);
    this.reply.speak(words, offset);
    const peaks = peaksOf(samples, Math.max(1, Math.round((samples.length / RATE) * PEAKS_PER_S)));
    Object.assign(this.it.data, { duration: offset + samples.length / RATE, peaks: [...this.it.data.peaks, ...peaks] });
    this.it.show();
  }

  /** Whether its reply is heard for the first time now. */
  get speaking() {
    return this.item !== null && Boolean(this.fresh?.playing);
  }

  /** The server is done with it. Sound may still be playing. */
  done(status) {
    this.stage(null);
    this.state = { completed: "done", cancelled: "stopped" }[status] ?? "failed";
    this.it.player?.finish();
    this.it.samples = this.pieces.length ? join(this.pieces) : null;
    this.it.show();
    if (!this.it.player?.playing) this.reply.settle();
    if (this.state === "stopped") this.mark("stopped");
  }

  /** How long the answer's first sound took, if it came that far. */
  measured(latency) {
    if (latency?.total_s !== undefined) this.foot.append(latencyBar(latency));
  }

  /** Silence at once; what was spoken so far stays. */
  stop() {
    this.it.player?.stop();
    if (this.state === "waiting" || this.state === "working") this.done("cancelled");
  }

  mark(key) {
    this.it.marks.append(h("span", { class: "fa-tag", t: key }));
  }

  /** One calm sentence where the answer would be; `action` {key, run} offers the way on. */
  note(sentence, action) {
    this.foot.querySelector(".fa-note")?.remove();
    const button = action && h("button", { type: "button", class: "fa-btn", t: action.key, onclick: action.run });
    const text = h("span", { class: "fa-grow" });
    if (Array.isArray(sentence)) label(text, "text", sentence);
    else text.textContent = sentence;
    this.foot.prepend(h("div", { class: "fa-note", role: "status" }, icon("alert", 20), text, button || null));
  }

  /** For screen readers: what was heard, or what was answered, in one sentence. */
  spokenSummary(side) {
    return side === "you" ? `${t("you")}: ${this.you.text()}` : `${t("it")}: ${this.it.text()}`;
  }

  close() {
    this.it.player?.stop();
    this.you.player?.stop();
    this.you.wave.destroy();
    this.it.wave.destroy();
    this.element.remove();
  }
}

/** Language, the moods that were heard (the surest of each), and the events in order. */
export function marksOf(segments) {
  const languages = [...new Set(segments.map(({ language }) => language).filter((code) => code && code !== "nospeech"))];
  const moods = new Map();
  for (const { emotion, emotion_confidence: sure, text, events } of segments) {
    if (!text && events?.length) continue;
    if (!moods.has(emotion) || moods.get(emotion) < sure) moods.set(emotion, sure);
  }
  if (moods.size > 1) moods.delete("EMO_UNKNOWN");
  const events = new Map();
  for (const event of segments.flatMap((segment) => segment.events ?? [])) {
    if (!(events.get(event.event)?.confidence >= event.confidence)) events.set(event.event, event);
  }
  return [
    ...languages.map((code) => h("span", { class: "fa-tag", t: `language_${code}` })),
    ...[...moods].map(([emotion, sure]) => emotionMark(emotion, sure)),
    ...[...events.values()].map(eventMark).filter(Boolean),
  ];
}
