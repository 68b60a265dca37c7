import { h, iconButton } from "../dom.js";
import { label } from "../i18n.js";
import { icon } from "../icons.js";
import { routeUrl } from "../urls.js";
import { clock, Wave } from "../wave.js";

// The recording as a line of time: its waveform, a player, zoom, and a bar to scroll by.

/** The address at which Gradio serves a file of its cache. */
const cached = (path) => routeUrl(`gradio_api/file=${path.split("/").map(encodeURIComponent).join("/")}`);

const levels = (base64) => Array.from(atob(base64), (byte) => byte.charCodeAt(0) / 255);

/** `onTime(seconds, playing)` is called as the playhead moves. */
export class Timeline {
  constructor({ onTime, onProblem }) {
    this.onTime = onTime;
    this.audio = h("audio", { preload: "metadata" });
    this.canvas = h("canvas", { class: "tr-wave" });
    this.wave = new Wave(this.canvas, {}, { ruler: true, lanes: true, zoom: true });
    this.wave.onSeek((seconds) => this.seek(seconds));
    this.wave.onView((start, end) => this.followView(start, end));
    this.inner = h("div");
    this.scroll = h("div", { class: "tr-scroll", hidden: true, onscroll: () => this.scrolled() }, this.inner);
    this.button = h("button", { type: "button", class: "tr-play", disabled: true, onclick: () => this.toggle() });
    this.time = h("span", { class: "fa-num tr-clock" }, "0:00");
    this.tools = h("div", { class: "tr-zoom" },
      iconButton("minus", "transcribe_zoom_out", () => this.zoom(2)), iconButton("fresh", "transcribe_zoom_in", () => this.zoom(0.5)),
      h("button", { type: "button", class: "fa-iconbtn", t: "transcribe_zoom_all", onclick: () => this.wave.setView() }));
    this.element = h("section", { class: "fa-card tr-timeline", tLabel: "transcribe_timeline" },
      this.canvas, this.scroll, h("div", { class: "tr-player" }, this.button, this.time, this.tools), this.audio);
    this.audio.addEventListener("error", () => this.audio.getAttribute("src") && onProblem("transcribe_no_play"));
    for (const change of ["play", "pause", "ended"]) this.audio.addEventListener(change, () => this.changed());
    for (const move of ["timeupdate", "seeked"]) this.audio.addEventListener(move, () => this.tell());
    this.clear();
    this.changed();
  }

  clear() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
    this.base64 = "";
    this.peaks = [];
    this.segments = [];
    this.duration = 0;
    this.source = null;
    this.button.disabled = true;
    this.wave.setView();
    this.wave.setPosition(null);
    this.wave.setData({});
    this.time.textContent = "0:00";
    label(this.button, "title", "transcribe_play_wait");
  }

  /** Shows a view's waveform and all segments; makes it playable once its source is known. */
  show(wave, source, segments) {
    if (wave && wave.peaks !== this.base64) {
      this.base64 = wave.peaks;
      this.peaks = levels(wave.peaks);
      this.duration = wave.duration;
    }
    this.segments = segments;
    // The last stretch may reach beyond the end: the peaks are spread over what they cover.
    this.wave.setData({ peaks: this.peaks, duration: this.duration, segments });
    if (source && source !== this.source) {
      this.source = source;
      this.audio.src = cached(source);
      this.button.disabled = false;
      this.changed();
      this.tell();
    }
  }

  toggle() {
    if (!this.source) return;
    if (this.audio.paused) this.audio.play().catch(() => this.changed());
    else this.audio.pause();
  }

  /** Goes to `seconds`, and plays from there where asked to. */
  seek(seconds, andPlay = false) {
    if (!this.source) return;
    this.audio.currentTime = Math.min(seconds, Math.max(0, this.duration - 0.02));
    this.tell();
    if (andPlay) this.audio.play().catch(() => this.changed());
  }

  changed() {
    const playing = !this.audio.paused;
    this.button.replaceChildren(icon(playing ? "pause" : "play", 22));
    const key = this.source ? (playing ? "pause" : "transcribe_play") : "transcribe_play_wait";
    for (const where of ["aria-label", "title"]) label(this.button, where, key);
    if (playing) requestAnimationFrame(() => this.frame());
  }

  frame() {
    if (this.audio.paused) return;
    this.tell();
    requestAnimationFrame(() => this.frame());
  }

  tell() {
    if (!this.source) return;
    const now = this.audio.currentTime;
    this.wave.setPosition(now);
    this.time.textContent = `${clock(now)} / ${clock(this.duration)}`;
    this.onTime(now, !this.audio.paused);
  }

  zoom(factor) {
    const [start, end] = this.wave.range();
    const head = this.audio.currentTime;
    this.wave.zoomAt(this.source && head >= start && head <= end ? head : (start + end) / 2, factor);
  }

  followView(start, end) {
    const share = this.duration ? (end - start) / this.duration : 1;
    this.scroll.hidden = share >= 1;
    this.inner.style.width = `${100 / share}%`;
    this.settled = (start / this.duration) * this.scroll.scrollWidth;
    this.scroll.scrollLeft = this.settled;
  }

  scrolled() {
    if (Math.abs(this.scroll.scrollLeft - this.settled) < 2) return; // our own doing
    const [start, end] = this.wave.range();
    const from = (this.scroll.scrollLeft / this.scroll.scrollWidth) * this.duration;
    this.wave.setView(from, from + end - start);
  }
}
