import { h, iconButton } from "../dom.js";
import { label } from "../i18n.js";
import { icon } from "../icons.js";
import { routeUrl } from "../urls.js";
import { clock, Wave } from "../wave.js";

// What a recording is taken in by: dropped, chosen, or spoken. One is held at a time.
const LEVEL_MS = 50;
const MIC_PROBLEMS = { NotFoundError: "mic_missing", NotAllowedError: "mic_denied", NotReadableError: "mic_busy" };

/** Bytes as a person writes them. */
export function size(bytes) {
  const mega = bytes / 1024 ** 2;
  if (mega >= 1024) return `${Number((mega / 1024).toFixed(1))} GB`;
  return mega >= 1 ? `${mega.toFixed(mega < 10 ? 1 : 0)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

/** Sends a file to Gradio's cache and gives the path it has there. `onPart` hears 0..1; abort the signal to stop. */
export function upload(file, onPart, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("files", file, file.name);
    request.upload.addEventListener("progress", ({ loaded, total }) => onPart(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText)[0]);
      else reject(new Error(request.status === 413 ? "transcribe_too_large" : "transcribe_send_failed"));
    });
    request.addEventListener("error", () => reject(new Error("transcribe_send_failed")));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", routeUrl("gradio_api/upload"));
    request.send(form);
  });
}

/** The place to drop, choose or record. `file` is what it holds; `onFile` and `onProblem(key, values)` are called back. */
export class Intake {
  constructor({ onFile, onProblem }) {
    this.file = null;
    this.limits = null;
    this.onFile = onFile;
    this.onProblem = onProblem;
    this.recorder = null;
    this.chooser = h("input", { type: "file", class: "fa-sr", tabindex: "-1", tLabel: "choose_file", accept: "audio/*,video/*,.amr,.caf,.au,.wma,.mka,.mkv" });
    this.chooser.addEventListener("change", () => this.take(this.chooser.files));
    this.title = h("p", { class: "tr-drop-title", t: "transcribe_drop" });
    this.limit = h("p", { class: "fa-quiet" });
    this.choose = h("button", { type: "button", class: "fa-btn", onclick: () => this.chooser.click() }, icon("upload", 18), h("span", { t: "transcribe_choose" }));
    this.record = h("button", { type: "button", class: "fa-btn tr-record", onclick: () => this.toggleRecording() }, icon("mic", 18), h("span", { t: "transcribe_record" }));
    this.recordWord = this.record.lastChild;
    this.level = h("canvas", { class: "tr-level", hidden: true });
    this.wave = new Wave(this.level, { label: "level_label" });
    this.held = h("div", { class: "tr-held", hidden: true });
    this.element = h("div", { class: "tr-drop" },
      h("div", { class: "tr-drop-words" }, this.title, this.limit, this.level, this.held),
      h("div", { class: "tr-drop-buttons" }, this.choose, this.record, this.chooser));
    this.listenForDrops();
  }

  /** The limits of one recording: {bytes, seconds}. */
  setLimits(limits) {
    this.limits = limits;
    label(this.limit, "text", ["transcribe_limits", { size: size(limits.bytes), hours: Math.round(limits.seconds / 3600) }]);
  }

  listenForDrops() {
    const over = (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      this.element.classList.toggle("is-over", event.type !== "drop" && event.type !== "dragleave");
      if (event.type === "drop") this.take(event.dataTransfer.files);
    };
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) this.element.addEventListener(kind, over);
  }

  take(files) {
    const [file] = files;
    this.chooser.value = "";
    if (!file) return;
    const name = file.name;
    if (!file.size) this.onProblem("file_empty", { name });
    else if (this.limits && file.size > this.limits.bytes) {
      this.onProblem("file_too_large", { name, megabytes: Math.round(this.limits.bytes / 1024 ** 2) });
    } else {
      this.hold(file);
      if (files.length > 1) this.onProblem("file_one", { name });
    }
  }

  hold(file) {
    this.file = file;
    this.title.hidden = this.limit.hidden = Boolean(file);
    this.held.hidden = !file;
    this.held.replaceChildren(...(file ? [
      icon("music", 18), h("span", { class: "tr-name", title: file.name }, file.name), h("span", { class: "fa-quiet fa-num" }, size(file.size)),
      iconButton("close", "transcribe_remove", () => this.hold(null), { class: "fa-iconbtn is-small" }),
    ] : []));
    this.onFile(file);
  }

  setBusy(busy) {
    this.element.classList.toggle("is-busy", busy);
    for (const button of this.element.querySelectorAll("button")) button.disabled = busy;
  }

  async toggleRecording() {
    if (this.recorder) {
      this.recorder.stop();
      return;
    }
    if (!navigator.mediaDevices) {
      this.onProblem("mic_insecure");
      return;
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { autoGainControl: false } });
    } catch (error) {
      this.onProblem(MIC_PROBLEMS[error.name] ?? "mic_busy");
      return;
    }
    this.hold(null);
    this.follow(stream);
  }

  /** Records the stream until it is stopped, showing its level and time. */
  follow(stream) {
    const parts = [];
    const began = performance.now();
    const sound = new AudioContext();
    const analyser = sound.createAnalyser();
    const samples = new Float32Array(analyser.fftSize);
    sound.createMediaStreamSource(stream).connect(analyser);
    this.recorder = new MediaRecorder(stream);
    this.showRecording(true);
    const ticking = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.wave.pushLevel(Math.min(1, 1.5 * samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0)));
      const seconds = (performance.now() - began) / 1000;
      label(this.recordWord, "text", ["transcribe_recording", { time: clock(seconds) }]);
      if (this.limits && seconds >= this.limits.seconds) this.recorder.stop();
    }, LEVEL_MS);
    this.recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    this.recorder.addEventListener("stop", () => {
      clearInterval(ticking);
      stream.getTracks().forEach((track) => track.stop());
      sound.close();
      const { mimeType } = this.recorder;
      this.recorder = null;
      this.showRecording(false);
      const now = new Date();
      const stamp = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, "0")).join("-");
      const ending = mimeType.includes("mp4") ? "mp4" : mimeType.includes("ogg") ? "ogg" : "webm";
      this.take([new File(parts, `recording ${stamp}.${ending}`, { type: mimeType })]);
    });
    this.recorder.start(1000);
  }

  showRecording(on) {
    this.record.classList.toggle("is-on", on);
    this.record.firstChild.replaceWith(icon(on ? "stop" : "mic", 18));
    label(this.recordWord, "text", on ? ["transcribe_recording", { time: clock(0) }] : "transcribe_record");
    this.choose.disabled = on;
    this.title.hidden = this.limit.hidden = on;
    this.level.hidden = !on;
    if (!on) this.wave.clearLevels();
  }
}
