import { h } from "../dom.js";

const FULL_S = 2; // the bar's width in seconds, doubled until the turn fits: bars of turns compare at a glance
const PARTS = [["heard_s", "latency_heard"], ["thought_s", "latency_thought"], ["first_sound_s", "latency_sound"]];

const seconds = (value) => ({ t: ["seconds", { n: value.toFixed(1) }], class: "fa-num" });

/** How the time to the first sound was spent, to scale. */
export function latencyBar(latency) {
  let full = FULL_S;
  while (full < latency.total_s) full *= 2;
  const there = PARTS.filter(([name]) => latency[name] !== undefined);
  const bar = there.map(([name]) => h("span", { class: `fa-lat-${name}`, style: `width:${(latency[name] / full) * 100}%` }));
  const legend = there.map(([name, key]) => h("span", { class: `fa-lat-part fa-lat-${name}` },
    h("i", {}), h("span", { t: key }), h("b", seconds(latency[name]))));
  return h("div", { class: "fa-latency", tTitle: ["latency_scale", { n: full }] },
    h("div", { class: "fa-lat-bar", "aria-hidden": "true" }, ...bar),
    h("div", { class: "fa-lat-legend" }, ...legend,
      h("b", { class: "fa-lat-total fa-num", t: ["latency_total", { n: latency.total_s.toFixed(1) }] })));
}
