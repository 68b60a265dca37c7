import { decodePcm } from "../audio/pcm.js";
import { h, iconButton } from "../dom.js";
import { label, t } from "../i18n.js";
import { icon } from "../icons.js";
import { clock, Wave } from "../wave.js";
import { ask, events, keepFile, Refusal, send, sentenceOf } from "./api.js";
import { button, Notice, write } from "./parts.js";
import { Progress } from "./progress.js";
import { Reading } from "./reading.js";
import { Sound } from "./sound.js";

const DOUBTFUL = 0.12; // share of a piece heard otherwise, above which the server says it again, and the page marks it

/** One reading of a text by one voice: made, heard, compared, saved. */
export class Take {
  /** `made`: {id, parts, paragraphs} from the server; `about`: {number, name, tags} in words; `on`: {compare(take, slot), flip(), close(take)}. */
  constructor(made, about, formats, on) {
    Object.assign(this, { id: made.id, parts: made.parts, about, on });
    this.state = "making"; // then "done", "stopped" or "failed"
    this.next = 0; // the first part that is not whole yet
    this.awaited = null;
    this.checked = [];
    this.notes = new Set();
    this.sound = new Sound({ onTick: (seconds) => this.tick(seconds), onChange: () => this.paintPlay() });
    this.canvas = h("canvas", {});
    this.wave = new Wave(this.canvas, { tone: "reply", label: "wave_it" });
    this.wave.onSeek((seconds) => this.sound.seek(Math.min(seconds, this.sound.duration)));
    this.reading = new Reading((seconds) => this.sound.play(seconds));
    this.progress = new Progress(made.paragraphs, made.parts);
    this.playButton = h("button", { type: "button", class: "sp-play is-large", disabled: true, onclick: () => this.toggle() });
    this.stage = h("span", { class: "sp-stage", "aria-live": "polite" });
    this.time = h("span", { class: "fa-num" });
    this.slots = ["a", "b"].map((slot) => h("button", { type: "button", class: "sp-slot", "data-slot": slot, "aria-pressed": "false", tTitle: `speak_compare_${slot}`, tLabel: `speak_compare_${slot}`,
      onclick: () => on.compare(this, slot) }, slot.toUpperCase()));
    this.stop = button("stop", "speak_stop", () => this.halt(), { class: "fa-btn is-small" });
    this.resume = button("play", "speak_go_on", () => this.goOn(), { class: "fa-btn is-small", hidden: true });
    this.saves = formats.map((format) => h("button", { type: "button", class: "sp-save", "data-format": format, disabled: true, onclick: () => this.save(format) }, format.toUpperCase()));
    this.remarks = h("div", { class: "sp-remarks" });
    this.notice = new Notice();
    this.element = h("article", { class: "sp-take fa-card", tLabel: ["speak_take", { n: about.number }] },
      h("header", {}, this.playButton,
        h("div", { class: "sp-take-words" },
          h("div", { class: "sp-take-title" }, h("h3", {}, about.name), ...about.tags.map((props) => h("span", { class: "fa-tag", ...props }))),
          h("div", { class: "fa-quiet sp-take-sub" }, h("span", { class: "fa-num", t: ["speak_take", { n: about.number }] }), this.time, this.stage)),
        h("span", { class: "sp-take-acts" }, ...this.slots, iconButton("trash", "speak_delete_take", () => on.close(this), { class: "fa-iconbtn is-small" }))),
      this.canvas, this.progress.element, this.reading.element, this.remarks, this.notice.element,
      h("footer", {}, this.stop, this.resume, h("span", { class: "sp-saves", role: "group", tLabel: "speak_save_as" }, icon("save", 16), ...this.saves)));
    this.paintPlay();
  }

  /** Has the server make it, from where it stopped. The first sound is played as soon as it is there. */
  async run() {
    this.abort = new AbortController();
    this.sound.dropFrom(this.next);
    this.reading.dropFrom(this.next);
    this.sound.grows(true);
    this.show("making");
    this.notice.clear();
    try {
      for await (const event of events(`v1/speak/takes/${this.id}/events?from=${this.next}`, this.abort.signal)) this.take(event);
      if (this.state === "making") throw new Refusal(["speak_broke_off"]);
    } catch (error) {
      if (error.name === "AbortError") this.show("stopped");
      else if (error instanceof Refusal) this.fail(error.sentence);
      else throw error;
    }
    this.sound.grows(false);
  }

  take(event) {
    switch (event.type) {
      case "said": this.say(event); break;
      case "checked": this.check(event); break;
      case "note": this.note(sentenceOf(event)); break;
      case "done": this.show("done"); break;
      case "failed": this.fail(sentenceOf(event.error)); break;
      default: // a newer server may tell more than this page knows
    }
  }

  say(event) {
    const first = !this.sound.pieces.length;
    const samples = decodePcm(event.pcm);
    const start = this.sound.duration;
    this.reading.add({ ...event, start }, samples.length / event.rate);
    this.sound.add(event.part, event.rate, samples);
    if (event.last) this.next = event.part + 1;
    this.progress.show(this.next, event.paragraph);
    this.draw();
    if (first) this.sound.play(0);
    this.paintPlay();
  }

  check({ part, heard, wrong }) {
    this.checked.push(wrong);
    if (wrong > DOUBTFUL) this.reading.doubt(part, t("speak_heard_as", { heard }));
    const good = this.checked.filter((share) => share <= DOUBTFUL).length;
    this.proof ??= this.remarks.appendChild(h("p", { class: "sp-proof" }));
    this.proof.classList.toggle("is-doubted", good < this.checked.length);
    this.proof.replaceChildren(icon(good < this.checked.length ? "alert" : "check", 16), h("span", { t: ["speak_proof_result", { good, of: this.checked.length }] }));
  }

  /** Once, however often it is told. */
  note(sentence) {
    if (this.notes.has(String(sentence))) return;
    this.notes.add(String(sentence));
    this.remarks.append(write(h("p", {}), sentence));
  }

  fail(sentence) {
    this.show("failed");
    this.notice.show(sentence);
  }

  halt() {
    this.abort.abort();
    this.sound.pause();
  }

  goOn() {
    this.run();
    if (this.sound.duration) this.sound.play();
  }

  show(state) {
    this.state = state;
    const making = state === "making";
    this.element.dataset.state = state;
    this.stop.hidden = !making;
    this.resume.hidden = making || state === "done";
    this.saves.forEach((save) => { save.disabled = making || !this.next; });
    this.progress.element.hidden = state === "done";
    if (state === "done") this.progress.show(this.parts, this.progress.paragraph);
    this.draw();
    this.paintPlay();
  }

  /** What its first sound waits for, as a sentence; null for the engine itself. */
  waitFor(sentence) {
    this.awaited = sentence;
    this.draw();
  }

  draw() {
    const { sound } = this;
    const making = this.state === "making";
    // What is not there yet is drawn as silence, as long as it will be at the pace until now.
    const share = this.state === "done" ? 1 : Math.min(1, Math.max(this.next, 1) / this.parts);
    const expected = Math.round(sound.peaks.length / share);
    const peaks = sound.peaks.concat(new Array(expected - sound.peaks.length).fill(0));
    this.wave.setData({ peaks, duration: sound.peaks.length ? (sound.duration * expected) / sound.peaks.length : 0, tone: "reply", label: "wave_it" });
    this.time.textContent = sound.duration ? clock(sound.duration) : "";
    if (making && !sound.duration) label(this.stage, "text", this.awaited ?? "speak_waiting");
    else if (making) this.progress.tell(this.stage);
    else write(this.stage, this.state === "done" ? "" : [`speak_state_${this.state}`]);
  }

  tick(seconds) {
    this.wave.setPosition(seconds);
    this.reading.light(seconds);
  }

  /** Shows no place: another take is heard in its stead. */
  rest() {
    this.wave.setPosition(null);
    this.reading.light(-1);
  }

  toggle() {
    if (this.sound.playing) this.sound.pause();
    else this.sound.play();
  }

  paintPlay() {
    const { playing, duration } = this.sound;
    this.playButton.disabled = !duration;
    this.element.classList.toggle("is-playing", playing);
    this.playButton.replaceChildren(icon(playing ? "pause" : "play", 20));
    for (const where of ["aria-label", "title"]) label(this.playButton, where, playing ? "pause" : "transcribe_play");
    this.on.flip();
  }

  /** Shows in which place of the comparison it is: "a", "b" or none. */
  paintSlot(slot) {
    for (const one of this.slots) one.setAttribute("aria-pressed", String(one.dataset.slot === slot));
  }

  async save(format) {
    const one = this.saves.find(({ dataset }) => dataset.format === format);
    one.classList.add("is-busy");
    await this.notice.over(async () => {
      const file = await (await send(`v1/speak/takes/${this.id}/file?format=${format}`)).blob();
      keepFile(file, `${this.about.file}.${format}`);
    });
    one.classList.remove("is-busy");
  }

  /** Silence, and the server forgets it. */
  async close() {
    this.abort?.abort();
    this.sound.pause();
    this.wave.destroy();
    this.element.remove();
    await ask(`v1/speak/takes/${this.id}`, { method: "DELETE" }).catch(() => {}); // forgotten there, or gone by itself in an hour
  }
}
