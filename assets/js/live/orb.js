import { h } from "../dom.js";
import { label } from "../i18n.js";
import { icon } from "../icons.js";
import { onTheme } from "../theme.js";

const GLYPHS = { start: "mic", ended: "mic", waiting: "mic", muted: "mic", held: "pause", full: "pause" };
const BARS = { listening: 0.1, hearing: 0.2, speaking: 0.2 }; // states that show bars, and how tall they are at least
const SHAPE = [0.45, 0.75, 1, 0.75, 0.45]; // of the five bars
const LAG_FRAMES = 3; // from one bar to its neighbour, outwards
const RIPPLE_EVERY_MS = 240;
const RIPPLE_MS = 1500;
const AUDIBLE = 0.05;

/** The round button that starts and ends the conversation. It breathes with the person's voice and ripples with its own. */
export class Orb {
  constructor(onPress) {
    this.input = 0; // levels, 0 to 1
    this.output = 0;
    this.state = this.on = null;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.glyph = h("span", { class: "fa-orb-glyph" });
    this.button = h("button", { type: "button", class: "fa-orb", onclick: onPress }, this.glyph);
    this.element = h("div", { class: "fa-orb-box" }, this.button, this.canvas);
    this.meters = h("div", { class: "fa-meters", "aria-hidden": "true" });
    this.bars = Object.fromEntries(["you", "it"].map((who) => {
      const bar = h("span", { class: `fa-meter is-${who}` }, h("i", {}));
      this.meters.append(h("span", { class: "fa-quiet", t: who }), bar);
      return [who, bar];
    }));
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.breath = this.voice = 0; // the levels, evened out
    this.trail = new Array(LAG_FRAMES * 2 + 1).fill(0); // the louder of the two, the latest first
    this.ripples = []; // {at, strength}
    this.frame = 0;
    onTheme(() => requestAnimationFrame(() => this.draw(performance.now())));
    new ResizeObserver(() => this.draw(performance.now())).observe(this.canvas);
    this.show("start", false);
  }

  /** `state` as the conversation names them; `on`: whether a press ends it. */
  show(state, on) {
    if (state === this.state && on === this.on) return;
    this.state = state;
    this.on = on;
    this.button.classList.toggle("is-on", on);
    for (const where of ["aria-label", "title"]) label(this.button, where, on ? "live_end" : "live_start");
    const name = GLYPHS[state];
    this.glyph.replaceChildren(...(name ? [icon(name, 44)] : []));
    if (on && !this.frame) this.run();
    if (on) return;
    cancelAnimationFrame(this.frame);
    this.frame = this.input = this.output = this.breath = this.voice = 0;
    this.ripples = [];
    this.trail.fill(0);
    this.draw(performance.now());
  }

  run() {
    this.frame = requestAnimationFrame((now) => {
      this.step(now);
      this.draw(now);
      this.run();
    });
  }

  step(now) {
    const follow = (value, level) => value + (level - value) * (level > value ? 0.5 : 0.15);
    this.breath = follow(this.breath, this.input);
    this.voice = follow(this.voice, this.output);
    this.trail = [Math.max(this.breath, this.voice), ...this.trail.slice(0, -1)];
    this.ripples = this.ripples.filter(({ at }) => now - at < RIPPLE_MS);
    const due = now - (this.ripples.at(-1)?.at ?? 0) > RIPPLE_EVERY_MS;
    if (this.output > AUDIBLE && due) this.ripples.push({ at: now, strength: Math.min(1, 0.3 + this.output) });
  }

  draw(now) {
    this.bars.you.style.setProperty("--level", this.input.toFixed(3));
    this.bars.it.style.setProperty("--level", this.output.toFixed(3));
    const size = this.canvas.clientWidth;
    if (!size) return;
    const pixels = Math.round(size * (window.devicePixelRatio || 1));
    if (this.canvas.width !== pixels) this.canvas.width = this.canvas.height = pixels;
    const c = this.canvas.getContext("2d");
    const style = getComputedStyle(this.button);
    const colour = (name) => style.getPropertyValue(name).trim();
    c.setTransform(pixels / size, 0, 0, pixels / size, 0, 0);
    c.clearRect(0, 0, size, size);
    c.translate(size / 2, size / 2);
    const radius = this.button.offsetWidth / 2;
    this.drawRings(c, radius, size / 2 - 2, colour("--accent"), now);
    if (this.state in BARS) this.drawBars(c, radius, style.color);
    else if (!(this.state in GLYPHS)) this.drawDots(c, radius, style.color, now);
  }

  /** Around the button: what it hears swells, what it says runs outwards. Where motion is unwelcome, only their strength changes. */
  drawRings(c, radius, most, colour, now) {
    const still = this.still.matches;
    const room = most - radius;
    const calm = this.state === "listening" && !still ? 0.012 * Math.sin(now / 900) : 0;
    c.fillStyle = c.strokeStyle = colour;
    for (const [reach, alpha] of [[0.55, 0.1], [0.28, 0.14]]) {
      const level = still ? 0.5 : this.breath;
      c.globalAlpha = alpha * (still ? this.breath : Math.min(1, this.breath * 3));
      ring(c, radius * (1 + calm), radius * (1.02 + calm) + room * reach * level);
    }
    if (this.state in BARS || this.state === "thinking") {
      c.globalAlpha = 0.1;
      ring(c, radius, radius * (1.06 + calm));
    }
    if (still) {
      c.globalAlpha = 0.5 * this.voice;
      ring(c, radius + 4, radius + 10);
    } else {
      for (const { at, strength } of this.ripples) {
        const age = (now - at) / RIPPLE_MS;
        const reach = radius + room * (1 - (1 - age) ** 2);
        c.globalAlpha = 0.45 * strength * (1 - age) ** 1.6;
        ring(c, reach - 1.25, Math.min(most, reach + 1.25));
      }
    }
    c.globalAlpha = 1;
  }

  drawBars(c, radius, colour) {
    const [pitch, width, tall] = [radius * 0.19, radius * 0.085, radius * 0.95];
    c.fillStyle = colour;
    SHAPE.forEach((share, i) => {
      const level = this.still.matches ? 0.3 : this.trail[Math.abs(i - 2) * LAG_FRAMES];
      const height = Math.max(width, tall * share * Math.min(1, BARS[this.state] + level));
      c.beginPath();
      c.roundRect((i - 2) * pitch - width / 2, -height / 2, width, height, width / 2);
      c.fill();
    });
  }

  drawDots(c, radius, colour, now) {
    c.fillStyle = colour;
    for (const i of [-1, 0, 1]) {
      c.globalAlpha = this.still.matches ? 0.8 : 0.35 + 0.65 * Math.max(0, Math.sin(now / 260 - i * 0.9));
      c.beginPath();
      c.arc(i * radius * 0.26, 0, radius * 0.07, 0, Math.PI * 2);
      c.fill();
    }
    c.globalAlpha = 1;
  }
}

function ring(c, inner, outer) {
  c.beginPath();
  c.arc(0, 0, Math.max(outer, inner), 0, Math.PI * 2);
  c.arc(0, 0, inner, 0, Math.PI * 2, true);
  c.fill();
}
