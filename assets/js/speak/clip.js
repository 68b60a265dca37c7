import { decodeFile, Player } from "../audio/player.js";
import { h } from "../dom.js";
import { label, lookup } from "../i18n.js";
import { icon } from "../icons.js";
import { clock, Wave } from "../wave.js";
import { ask, send, sendFile } from "./api.js";
import { Intake } from "./intake.js";
import { field, languageName, write } from "./parts.js";

const LEVEL_ICONS = { ok: "check", warn: "alert", bad: "close" };
const MOST_TRANSCRIPT = 1000;

/** The first step: a clip of the voice, what the program thinks of it, and which part of it is kept. */
export class ClipStep {
  /** `limits` as `GET /v1/speak` says; `words`: whether they matter; `onReady(clip)` with a clip that can be used, or null; `notice` for what goes wrong. */
  constructor({ limits, words, notice, onReady }) {
    Object.assign(this, { words, notice, onReady });
    this.clip = null;
    this.intake = new Intake({ title: "speak_clip_drop", hint: "speak_clip_hint", limits: { bytes: limits.upload_bytes, seconds: limits.clip_seconds },
      onFile: (file) => this.take(file), onProblem: (sentence) => notice.show(sentence) });
    this.status = h("p", { class: "fa-quiet sp-working", role: "status", hidden: true }, h("span", { class: "sp-spin" }), h("span", { t: "speak_clip_checking" }));
    this.result = h("div", { class: "sp-clip", hidden: true });
    this.elements = [this.intake.element, this.status, this.result];
  }

  async take(file) {
    this.drop();
    this.status.hidden = false;
    this.intake.element.classList.add("is-busy");
    await this.notice.over(async () => {
      const clip = await sendFile("v1/speak/clips", file);
      if (this.closed) return;
      this.clip = clip;
      this.show();
    });
    this.status.hidden = true;
    this.intake.element.classList.remove("is-busy");
  }

  show() {
    const { duration, kept: [start, end], findings, transcript, language, peaks } = this.clip;
    const canvas = h("canvas", {});
    this.wave = new Wave(canvas, { peaks: levels(peaks), duration, label: "wave_you" });
    const span = h("span", { class: "sp-kept", style: `left:${(100 * start) / duration}%; width:${(100 * (end - start)) / duration}%` });
    this.listen = h("button", { type: "button", class: "sp-play", tLabel: "speak_clip_play", tTitle: "speak_clip_play", onclick: () => this.play() }, icon("play", 18), icon("pause", 18));
    this.result.replaceChildren(
      h("div", { class: "sp-clip-wave" }, this.listen, h("div", { class: "sp-clip-canvas" }, span, canvas)),
      h("p", { class: "fa-quiet fa-num", t: ["speak_kept", { start: clock(start), end: clock(end), duration: clock(duration) }] }),
      h("ul", { class: "sp-findings" }, ...findings.map(finding)), ...(this.words ? [this.transcript(transcript, language)] : []));
    this.result.hidden = false;
    this.onReady(findings.some(({ level }) => level === "bad") ? null : this.clip);
  }

  /** What was heard in it, to be mended. */
  transcript(transcript, language) {
    const words = h("textarea", { class: "fa-area", id: "sp-transcript", rows: 2, maxLength: MOST_TRANSCRIPT, dir: "auto", onchange: () => this.correct(words.value) });
    words.value = transcript;
    return field("speak_transcript", "sp-transcript", words, h("p", { class: "fa-quiet", t: language && lookup(`language_${language}`) ? ["speak_transcript_why", { language: languageName(language) }] : "speak_transcript_why_not" }));
  }

  /** The kept part, as the server cut it. */
  async play() {
    if (this.player?.playing) {
      this.player.stop();
      return;
    }
    await this.notice.over(async () => {
      const samples = await decodeFile(await (await send(`v1/speak/clips/${this.clip.id}.wav`)).arrayBuffer());
      this.player = new Player({ onEnd: () => this.listen.classList.remove("is-playing") });
      this.listen.classList.add("is-playing");
      this.player.add(samples);
      this.player.finish();
    });
  }

  /** The words as the person says they are. */
  correct(transcript) {
    this.clip.transcript = transcript;
    this.saved = this.notice.over(() => ask(`v1/speak/clips/${this.clip.id}`, { method: "PATCH", json: { transcript } }));
  }

  /** Forgets the clip, here and on the server. */
  drop() {
    this.player?.stop();
    this.wave?.destroy();
    this.result.hidden = true;
    if (this.clip) ask(`v1/speak/clips/${this.clip.id}`, { method: "DELETE" }).catch(() => {}); // it is gone by itself in an hour
    this.clip = null;
    this.onReady(null);
  }

  close() {
    this.closed = true;
    this.drop();
    this.intake.close();
  }
}

function finding({ key, level, message, values }) {
  const words = lookup(key) ? [key, values] : message ?? key;
  const element = h("li", { class: `is-${level}` }, icon(LEVEL_ICONS[level], 16), write(h("span", {}), words));
  label(element, "title", `speak_level_${level}`);
  return element;
}

/** Pairs of signed bytes, the lowest and the highest sample of each stretch, as heights of 0 to 1. */
function levels(base64) {
  const bytes = Int8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
  return Array.from({ length: bytes.length >> 1 }, (_, i) => Math.min(1, Math.max(-bytes[2 * i], bytes[2 * i + 1]) / 127));
}
