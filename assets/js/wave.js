import { drawIcon } from "./icons.js";
import { onLang, t } from "./i18n.js";
import { emotionColour, eventIcon } from "./marks.js";
import { onTheme } from "./theme.js";

// The one drawing of sound in the product: bars coloured by emotion, event icons above them where they happen,
// a playhead, and (where there is room) words below.
const BAR = 2;
const PITCH = 3;
const EVENT_ROW = 22;
const ICON = 15;
const WORD_ROW = 18;
const RULER_ROW = 18;
const LANE_ROW = 8;
const KEY_STEP = 1;
const MIN_VIEW_S = 0.5;

/** Seconds as m:ss, or h:mm:ss. */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${String(rest).padStart(2, "0")}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/**
 * A waveform and timeline on a canvas.
 *
 * data: `peaks` 0..1 evenly over `duration` seconds; `segments` [{start, end, emotion, speaker, events}];
 * `events` [{event, start, end}] (default: the segments' own); `words` [{text, start, end}];
 * `tone` "reply" for the product's own voice; `label` a label key for what it shows.
 * options: `ruler` draws times, `words` draws words, `lanes` a line for each speaker, `zoom` takes the wheel and + and -.
 */
export class Wave {
  constructor(canvas, data = {}, options = {}) {
    this.canvas = canvas;
    this.options = options;
    this.context = canvas.getContext("2d");
    this.position = null;
    this.view = null;
    this.seekers = new Set();
    this.viewers = new Set();
    this.levels = null;
    this.pending = 0;
    canvas.classList.add("fa-wave");
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(canvas);
    this.stopTheme = onTheme(() => this.redraw());
    this.stopLang = onLang(() => this.describe());
    canvas.addEventListener("pointerdown", (event) => this.grab(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    if (options.zoom) canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.setData(data);
  }

  /** Replaces all data; the view and the position stay. */
  setData(data) {
    this.data = { peaks: [], duration: 0, segments: [], words: [], tone: "", label: "wave_label", ...data };
    this.events = this.data.events ?? this.data.segments.flatMap((segment) => segment.events ?? []);
    this.loudest = Math.max(0.08, this.data.peaks.reduce((most, peak) => Math.max(most, peak), 0));
    this.speakers = [...new Set(this.data.segments.map((segment) => segment.speaker).filter(Boolean))];
    this.describe();
    this.redraw();
  }

  /** Puts the playhead at `seconds`; null takes it away. A zoomed view follows it. */
  setPosition(seconds) {
    this.position = seconds;
    if (seconds !== null && this.view && (seconds < this.view[0] || seconds > this.view[1])) {
      const span = this.view[1] - this.view[0];
      this.setView(seconds - span * 0.1, seconds + span * 0.9);
    }
    this.canvas.setAttribute("aria-valuenow", String(Math.round(seconds ?? 0)));
    this.canvas.setAttribute("aria-valuetext", clock(seconds ?? 0));
    this.redraw();
  }

  /** Shows `start` to `end` seconds only; no arguments show all. */
  setView(start, end) {
    if (start === undefined) {
      this.view = null;
    } else {
      const span = Math.min(Math.max(end - start, MIN_VIEW_S), this.data.duration);
      const from = Math.min(Math.max(0, start), this.data.duration - span);
      this.view = span >= this.data.duration ? null : [from, from + span];
    }
    this.viewers.forEach((callback) => callback(...this.range()));
    this.redraw();
  }

  /** Calls back with seconds when the person clicks, drags or uses the arrow keys. */
  onSeek(callback) {
    this.seekers.add(callback);
    this.describe();
  }

  /** Calls back with start and end when what is shown changes. */
  onView(callback) {
    this.viewers.add(callback);
  }

  /** Live sound: adds a level of 0..1 at the right edge; the oldest leave at the left. */
  pushLevel(level) {
    this.levels = this.levels ?? [];
    this.levels.push(level);
    const room = Math.ceil(this.canvas.clientWidth / PITCH);
    if (this.levels.length > room) this.levels.splice(0, this.levels.length - room);
    this.redraw();
  }

  /** Forgets the live levels. */
  clearLevels() {
    this.levels = null;
    this.redraw();
  }

  /** Stops watching; call it when the canvas leaves the page. */
  destroy() {
    this.observer.disconnect();
    this.stopTheme();
    this.stopLang();
    cancelAnimationFrame(this.pending);
  }

  describe() {
    const seekable = this.seekers.size > 0;
    this.canvas.setAttribute("role", seekable ? "slider" : "img");
    this.canvas.setAttribute("aria-label", t(this.data.label, { duration: clock(this.data.duration) }));
    if (seekable) {
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("aria-valuemin", "0");
      this.canvas.setAttribute("aria-valuemax", String(Math.round(this.data.duration)));
      this.canvas.setAttribute("aria-valuenow", String(Math.round(this.position ?? 0)));
      this.canvas.classList.add("is-seekable");
    }
  }

  range() {
    return this.view ?? [0, this.data.duration];
  }

  secondsAt(x) {
    const [start, end] = this.range();
    return Math.min(this.data.duration, Math.max(0, start + (x / this.canvas.clientWidth) * (end - start)));
  }

  grab(event) {
    if (!this.seekers.size || event.button !== 0) return;
    const seek = ({ clientX }) => {
      const seconds = this.secondsAt(clientX - this.canvas.getBoundingClientRect().left);
      this.seekers.forEach((callback) => callback(seconds));
    };
    seek(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.addEventListener("pointermove", seek);
    const release = () => this.canvas.removeEventListener("pointermove", seek);
    this.canvas.addEventListener("pointerup", release, { once: true });
    this.canvas.addEventListener("pointercancel", release, { once: true });
  }

  key(event) {
    const now = this.position ?? 0;
    const step = event.shiftKey ? KEY_STEP * 5 : KEY_STEP;
    const target = { ArrowRight: now + step, ArrowLeft: now - step, Home: 0, End: this.data.duration }[event.key];
    const zoom = this.options.zoom && { "+": 0.5, "=": 0.5, "-": 2 }[event.key];
    if (target !== undefined && this.seekers.size) {
      const seconds = Math.min(this.data.duration, Math.max(0, target));
      this.seekers.forEach((callback) => callback(seconds));
    } else if (zoom) this.zoomAt(this.position ?? this.range()[0], zoom);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  wheel(event) {
    const [start, end] = this.range();
    if (event.ctrlKey || event.metaKey) {
      this.zoomAt(this.secondsAt(event.offsetX), event.deltaY > 0 ? 1.25 : 0.8);
    } else if (this.view && (event.deltaX || event.shiftKey)) {
      const by = ((event.deltaX || event.deltaY) / this.canvas.clientWidth) * (end - start);
      this.setView(start + by, end + by);
    } else return;
    event.preventDefault();
  }

  /** Widens (factor over 1) or narrows what is shown, `seconds` staying where it is. */
  zoomAt(seconds, factor) {
    const [start, end] = this.range();
    this.setView(seconds - (seconds - start) * factor, seconds + (end - seconds) * factor);
  }

  redraw() {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.pending = 0;
    const { canvas, context: c } = this;
    const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, window.devicePixelRatio || 1];
    if (!width || !height) return;
    const [deviceWidth, deviceHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
      canvas.width = deviceWidth;
      canvas.height = deviceHeight;
    }
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    this.colour = (name) => style.getPropertyValue(name).trim();
    this.font = style.getPropertyValue("--font");
    if (this.levels) {
      this.drawBars(this.levels.map((level) => [level, "--live"]), width, 0, height, width - this.levels.length * PITCH);
      return;
    }
    const marked = this.events.some(({ event }) => eventIcon(event));
    const top = marked ? EVENT_ROW : 0;
    const lanes = this.options.lanes ? this.speakers.length * LANE_ROW : 0;
    const foot = lanes + (this.options.words ? WORD_ROW : 0) + (this.options.ruler ? RULER_ROW : 0);
    const bottom = height - foot;
    this.drawBars(this.bars(width), width, top, bottom, 0);
    if (marked) this.drawEvents(width);
    if (lanes) this.drawLanes(width, bottom);
    if (this.options.words) this.drawWords(width, bottom + lanes);
    if (this.options.ruler) this.drawRuler(width, height - RULER_ROW);
    if (this.position !== null) {
      c.fillStyle = this.colour("--ink");
      c.fillRect(Math.round(this.x(this.position, width)) - 0.5, top, 1.5, bottom - top);
    }
  }

  x(seconds, width) {
    const [start, end] = this.range();
    return end > start ? ((seconds - start) / (end - start)) * width : 0;
  }

  /** One [height 0..1, colour, time] a bar: the loudest peak of its stretch, in the colour of its segment. */
  bars(width) {
    const { peaks, duration, segments, tone } = this.data;
    const [start, end] = this.range();
    const count = Math.floor(width / PITCH);
    const bars = [];
    let at = 0;
    for (let i = 0; i < count && peaks.length; i += 1) {
      const from = start + (i / count) * (end - start);
      const to = start + ((i + 1) / count) * (end - start);
      const first = Math.floor((from / duration) * peaks.length);
      const last = Math.max(first + 1, Math.ceil((to / duration) * peaks.length));
      let peak = 0;
      for (let k = first; k < last && k < peaks.length; k += 1) peak = Math.max(peak, peaks[k]);
      while (at < segments.length && segments[at].end <= from) at += 1;
      const segment = segments[at]?.start < to ? segments[at] : null;
      const plain = tone === "reply" ? "--wave-reply" : "--wave";
      bars.push([Math.pow(peak / this.loudest, 0.75), segment?.emotion ? emotionColour(segment.emotion) : plain, from]);
    }
    return bars;
  }

  drawBars(bars, width, top, bottom, offset) {
    const c = this.context;
    const middle = (top + bottom) / 2;
    const reach = (bottom - top) / 2 - 1;
    bars.forEach(([level, colour, time], i) => {
      const tall = Math.max(1, Math.min(1, level) * reach);
      c.fillStyle = this.colour(colour);
      c.globalAlpha = this.position === null || time === undefined || time <= this.position ? 1 : 0.38;
      c.beginPath();
      c.roundRect(offset + i * PITCH, middle - tall, BAR, tall * 2, 1);
      c.fill();
    });
    c.globalAlpha = 1;
  }

  drawEvents(width) {
    const c = this.context;
    let free = -Infinity;
    c.fillStyle = c.strokeStyle = this.colour("--event");
    for (const { event, start, end } of [...this.events].sort((a, b) => a.start - b.start)) {
      if (!eventIcon(event)) continue;
      const [from, to] = [this.x(start, width), this.x(end, width)];
      if (to < 0 || from > width) continue;
      c.globalAlpha = 0.5;
      c.fillRect(Math.max(0, from), EVENT_ROW - 4, Math.max(2, Math.min(width, to) - Math.max(0, from)), 2);
      c.globalAlpha = 1;
      const at = Math.min(width - ICON - 1, Math.max(1, from));
      if (at < free) continue;
      drawIcon(c, eventIcon(event), at, 1, ICON);
      free = at + ICON + 4;
    }
  }

  drawLanes(width, top) {
    const c = this.context;
    for (const { start, end, speaker, emotion } of this.data.segments) {
      const lane = this.speakers.indexOf(speaker);
      if (lane < 0) continue;
      c.fillStyle = this.colour(emotionColour(emotion));
      c.fillRect(this.x(start, width), top + lane * LANE_ROW + 2, Math.max(2, this.x(end, width) - this.x(start, width)), 4);
    }
  }

  drawWords(width, top) {
    const c = this.context;
    c.font = `12px ${this.font}`;
    c.textBaseline = "middle";
    let free = -Infinity;
    for (const { text, start, end } of this.data.words) {
      const from = this.x(start, width);
      if (from < free || from > width || this.x(end, width) < 0) continue;
      const said = this.position !== null && start <= this.position && this.position < end;
      c.fillStyle = this.colour(said ? "--accent" : "--ink-2");
      c.fillText(text.trim(), from, top + WORD_ROW / 2 + 1);
      free = from + c.measureText(text.trim()).width + 6;
    }
  }

  drawRuler(width, top) {
    const c = this.context;
    const [start, end] = this.range();
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]
      .find((seconds) => (seconds / (end - start)) * width > 64) ?? 7200;
    c.font = `11px ${this.font}`;
    c.textBaseline = "middle";
    c.fillStyle = this.colour("--ink-3");
    for (let tick = Math.ceil(start / step) * step; tick <= end; tick += step) {
      const at = this.x(tick, width);
      const text = step < 1 ? `${clock(Math.floor(tick + 1e-6))}.${Math.round((tick % 1) * 10) % 10}` : clock(tick);
      const half = c.measureText(text).width / 2;
      c.fillText(text, Math.min(width - half * 2, Math.max(0, at - half)), top + RULER_ROW / 2);
    }
  }
}
