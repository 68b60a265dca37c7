import { Wave } from "../wave.js";
import { h } from "../dom.js";
export function mount(place) {
  const c = h("canvas", { style: "height:72px" });
  place.append(h("div", { class: "fa-page" }, h("div", { class: "fa-card", style: "padding:24px" }, c)));
  const peaks = Array.from({ length: 240 }, (_, i) => Math.abs(Math.sin(i / 5) * Math.sin(i / 37)));
  const w = new Wave(c, { peaks, duration: 12, segments: [{ start: 0, end: 4, emotion: "SAD" }, { start: 5, end: 9, emotion: "HAPPY" }],
    events: ["Laughter","Applause","Cry","Cough","Sneeze","Breath","BGM","Sing","Speech_Noise"].map((event, i) => ({ event, start: i * 1.2, end: i * 1.2 + .6 })) }, { ruler: true });
  w.onSeek((s) => w.setPosition(s));
}
