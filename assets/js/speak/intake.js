import { MicrophoneError, Recorder } from "../audio/recorder.js";
import { wavBlob } from "../audio/pcm.js";
import { h } from "../dom.js";
import { label } from "../i18n.js";
import { icon } from "../icons.js";
import { clock, Wave } from "../wave.js";
import { button } from "./parts.js";

const ACCEPT = "audio/*,video/*,.amr,.caf,.au,.wma,.mka,.mkv";

/** A button that records until it is pressed again. `onFile(file)` gets a WAV; `onProblem(sentence)` why there is none. */
export class Microphone {
  constructor({ key = "speak_record", seconds, onFile, onProblem, onState = () => {} }) {
    Object.assign(this, { key, limit: seconds, onFile, onProblem, onState });
    this.recorder = null;
    this.opening = false;
    this.button = button("mic", key, () => this.toggle(), { class: "fa-btn sp-record" });
    this.word = this.button.lastChild;
    this.canvas = h("canvas", { class: "sp-level", hidden: true });
    this.level = new Wave(this.canvas, { label: "level_label" });
  }

  async toggle() {
    if (this.opening) return;
    if (this.recorder) {
      this.stop();
      return;
    }
    this.opening = true;
    this.left = false;
    try {
      this.recorder = await Recorder.open((block) => this.heard(block));
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      this.onProblem([error.key]);
    } finally {
      this.opening = false;
    }
    if (this.left) this.drop();
    else if (this.recorder) this.paint(true);
  }

  heard(block) {
    if (!this.recorder) return;
    this.level.pushLevel(Math.min(1, 1.5 * block.reduce((most, value) => Math.max(most, Math.abs(value)), 0)));
    label(this.word, "text", ["transcribe_recording", { time: clock(this.recorder.seconds) }]);
    if (this.limit && this.recorder.seconds >= this.limit) this.stop();
  }

  stop() {
    const samples = this.drop();
    if (samples.length) this.onFile(new File([wavBlob(samples)], "recording.wav", { type: "audio/wav" }));
    else this.onProblem(["mic_silent"]);
  }

  /** Gives the microphone back and forgets what was said into it. */
  drop() {
    this.left = true;
    const samples = this.recorder?.close() ?? [];
    this.recorder = null;
    this.paint(false);
    return samples;
  }

  paint(on) {
    this.button.classList.toggle("is-on", on);
    this.button.firstChild.replaceWith(icon(on ? "stop" : "mic", 18));
    label(this.word, "text", on ? ["transcribe_recording", { time: clock(0) }] : this.key);
    this.canvas.hidden = !on;
    this.level.clearLevels();
    this.onState(on);
  }

  close() {
    this.drop();
    this.level.destroy();
  }
}

/** A place to drop, choose or record a sound. `onFile(file)` and `onProblem(sentence)` are called back. */
export class Intake {
  /** `title` and `hint` are label keys; `limits`: {bytes, seconds}; `record` false leaves the microphone out. */
  constructor({ title, hint, limits, record = true, onFile, onProblem }) {
    this.limits = limits;
    this.onFile = onFile;
    this.onProblem = onProblem;
    this.chooser = h("input", { type: "file", class: "fa-sr", tabindex: "-1", tLabel: "choose_file", accept: ACCEPT, onchange: () => this.take(this.chooser.files) });
    this.microphone = record ? new Microphone({ seconds: limits.seconds, onFile, onProblem, onState: (on) => { this.words.hidden = this.choose.hidden = on; } }) : null;
    this.words = h("div", { class: "sp-drop-words" }, h("p", { class: "sp-drop-title", t: title }), h("p", { class: "fa-quiet", t: hint }));
    this.choose = button("upload", "transcribe_choose", () => this.chooser.click());
    this.element = h("div", { class: "sp-drop" }, this.words, this.microphone?.canvas,
      h("div", { class: "sp-drop-buttons" }, this.choose, this.microphone?.button, this.chooser));
    takeDrops(this.element, (files) => this.take(files));
  }

  /** One file, checked here so that a wrong one costs no upload. */
  take(files) {
    const [file] = files;
    this.chooser.value = "";
    if (!file) return;
    const { name } = file;
    if (!file.size) this.onProblem(["file_empty", { name }]);
    else if (file.size > this.limits.bytes) this.onProblem(["file_over", { name, megabytes: Math.floor(this.limits.bytes / 2 ** 20) }]);
    else this.onFile(file);
  }

  close() {
    this.microphone?.close();
  }
}

/** Files dropped on an element. */
export function takeDrops(element, take) {
  const over = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    element.classList.toggle("is-over", event.type === "dragenter" || event.type === "dragover");
    if (event.type === "drop") take(event.dataTransfer.files);
  };
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) element.addEventListener(kind, over);
}
