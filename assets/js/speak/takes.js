import { h } from "../dom.js";
import { icon } from "../icons.js";
import { routeUrl } from "../urls.js";
import { Take } from "./take.js";

const TYPING = "input, textarea, select, [role=slider]";

/** All takes of this page, the newest first, and the comparison of two. */
export class Takes {
  constructor(empty) {
    this.takes = [];
    this.count = 0;
    this.pair = { a: null, b: null };
    this.heard = "a";
    this.fetched = null;
    this.empty = empty;
    this.list = h("div", { class: "sp-take-list" });
    this.sides = ["a", "b"].map((slot) => h("button", { type: "button", class: "sp-side", "data-slot": slot, onclick: () => this.hear(slot) },
      h("b", {}, slot.toUpperCase()), h("span", { class: "sp-side-name" })));
    this.compare = h("div", { class: "sp-compare fa-card", role: "group", tLabel: "speak_compare", hidden: true },
      h("div", { class: "sp-sides" }, ...this.sides), h("p", { class: "fa-quiet" }, icon("flip", 16), h("span", { t: "speak_compare_hint" }), h("kbd", {}, "X")));
    this.element = h("section", { class: "sp-takes", tLabel: "speak_takes" }, h("h2", { class: "sp-heading", t: "speak_takes" }), this.compare, this.list, empty);
    window.addEventListener("pagehide", ({ persisted }) => {
      if (!persisted) this.takes.forEach(({ id }) => navigator.sendBeacon(routeUrl(`v1/speak/takes/${id}/close`)));
    });
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "x" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (this.compare.offsetParent === null || event.target.closest?.(TYPING)) return;
      this.hear(this.heard === "a" ? "b" : "a");
    });
  }

  /** A take that the server has begun; see `Take`. */
  add(made, about, formats) {
    this.count += 1;
    const take = new Take(made, { ...about, number: this.count, file: fileName(this.count, about.name) }, formats, {
      compare: (one, slot) => this.place(one, slot), flip: () => this.paint(), close: (one) => this.remove(one),
    });
    this.takes.unshift(take);
    this.list.prepend(take.element);
    this.empty.hidden = true;
    take.waitFor(this.fetched);
    take.run();
    return take;
  }

  /** Which weights are being fetched, as a take that has no sound yet waits for them: {sentence, share} or null. */
  fetching(fetching) {
    this.fetched = fetching?.sentence ?? null;
    this.takes.forEach((take) => take.waitFor(this.fetched));
  }

  remove(take) {
    this.takes = this.takes.filter((one) => one !== take);
    for (const slot of ["a", "b"]) if (this.pair[slot] === take) this.pair[slot] = null;
    this.empty.hidden = this.takes.length > 0;
    this.paint();
    take.close();
  }

  /** Puts a take into a place of the comparison, or takes it out of it. */
  place(take, slot) {
    const other = slot === "a" ? "b" : "a";
    if (this.pair[other] === take) this.pair[other] = null;
    this.pair[slot] = this.pair[slot] === take ? null : take;
    this.paint();
  }

  /** Goes over to the other of the two at the same place; the one that is heard is stopped or started. */
  hear(slot) {
    const [to, from] = [this.pair[slot], this.pair[slot === "a" ? "b" : "a"]];
    if (to.sound.playing) to.sound.pause();
    else if (slot === this.heard) to.sound.play();
    else {
      const { position } = from.sound;
      const same = to.about.text === from.about.text && to.parts === from.parts;
      to.sound.play(Math.min(same ? to.sound.secondsOf(from.sound.placeOf(position)) : position, to.sound.duration));
      from.rest();
    }
    this.heard = slot;
    this.paint();
  }

  paint() {
    const { a, b } = this.pair;
    this.takes.forEach((take) => take.paintSlot(take === a ? "a" : take === b ? "b" : ""));
    this.compare.hidden = !(a && b);
    if (!(a && b)) return;
    for (const slot of ["a", "b"]) if (this.pair[slot].sound.playing) this.heard = slot;
    for (const side of this.sides) {
      const take = this.pair[side.dataset.slot];
      side.lastChild.textContent = `${take.about.number} · ${take.about.name}`;
      side.classList.toggle("is-heard", take.sound.playing);
      side.setAttribute("aria-pressed", String(this.heard === side.dataset.slot));
    }
  }
}

const fileName = (number, name) => `${number} ${name}`.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").toLowerCase();
