import { h, iconButton } from "../dom.js";
import { currentLang, label, lookup } from "../i18n.js";
import { icon } from "../icons.js";
import { Refusal } from "./api.js";

// The small parts that the studio is made of.

/** An element's text from a sentence: [key, values] of the label table, or words that are said as they are. */
export function write(element, sentence) {
  if (Array.isArray(sentence)) label(element, "text", sentence);
  else {
    delete element.dataset.t;
    element.textContent = sentence;
  }
  return element;
}

/** A place for one sentence about what went wrong, until the next. */
export class Notice {
  constructor() {
    this.element = h("div", { class: "sp-notice", role: "alert" });
  }

  show(sentence) {
    this.element.replaceChildren(h("div", { class: "fa-note" }, icon("alert"), write(h("span", { class: "fa-grow" }), sentence),
      iconButton("close", "dismiss", () => this.clear(), { class: "fa-iconbtn is-small" })));
  }

  clear() {
    this.element.replaceChildren();
  }

  /** Does `work`; where it is refused, says why. Gives whether it went well. */
  async over(work) {
    this.clear();
    try {
      await work();
      return true;
    } catch (error) {
      if (error.name === "AbortError") return false;
      if (!(error instanceof Refusal)) throw error;
      this.show(error.sentence);
      return false;
    }
  }
}

const CAPABILITY = { style: "styles", match: "blend" }; // a control whose capability has another name

/** Why the engine cannot do a thing: in the person's language where the table has it, else as the engine says it. */
export function reasonOf(what, able) {
  const key = `cannot_synthesizer_${CAPABILITY[what] ?? what}`;
  return lookup(key) ? [key] : able;
}

/** The line beside a control that the engine lacks; null where it has it. */
export const whyNot = (what, able) => (able === true ? null : write(h("p", { class: "sp-why", id: `sp-why-${what}` }), reasonOf(what, able)));

/** A button with an icon and a word. */
export const button = (name, key, onclick, props = {}) =>
  h("button", { type: "button", class: "fa-btn", onclick, ...props }, icon(name, 18), h("span", { t: key }));

/** A slider with its name and its value; `show(value)` writes the value. The element has `set(value)`. */
export function slider({ key, min, max, step, value, show, onInput, disabled = false, why = null }) {
  const input = h("input", { type: "range", class: "fa-range", tLabel: key, "aria-describedby": why?.id });
  Object.assign(input, { min, max, step, value, disabled });
  const figure = h("output", { class: "fa-num fa-quiet" });
  const paint = () => {
    input.style.setProperty("--at", `${((input.value - min) / (max - min)) * 100}%`);
    figure.textContent = show(Number(input.value));
  };
  input.addEventListener("input", () => {
    paint();
    onInput(Number(input.value));
  });
  paint();
  const element = h("div", { class: `fa-field sp-slider${disabled ? " is-off" : ""}` },
    h("div", { class: "fa-label fa-between" }, h("span", { t: key }), figure), input, why);
  element.set = (next) => {
    input.value = next;
    paint();
  };
  return element;
}

/** A field with its label above it. */
export const field = (key, id, ...controls) => h("div", { class: "fa-field" }, h("label", { for: id, t: key }), ...controls);

/** A language in the page's language. */
export const languageName = (code) => lookup(`language_${code}`) ?? new Intl.DisplayNames([currentLang()], { type: "language" }).of(code);

/** A factor as people write it. */
export const times = (value) => `${value.toFixed(2).replace(/0$/, "")} ×`;
