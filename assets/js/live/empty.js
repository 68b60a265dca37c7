import { h } from "../dom.js";

const TRIES = ["ask", "interrupt", "nod"];

/** What the page shows before anything was said: three things to try. */
export function emptyState() {
  const cards = TRIES.map((name) => h("li", { class: "fa-card fa-try" },
    h("h3", { t: `live_try_${name}` }), h("p", { t: `live_say_${name}` })));
  return h("div", { class: "fa-live-empty" }, h("p", { class: "fa-quiet", t: "live_try" }), h("ul", { class: "fa-tries" }, ...cards));
}
