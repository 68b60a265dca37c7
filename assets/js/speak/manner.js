import { h, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { field, slider, times, whyNot } from "./parts.js";

const STORE = "funaudio.speak";
const SEEDS = 1_000_000;
const MOST_INSTRUCTION = 500;
export const DEFAULTS = { style: "neutral", strength: 1, rate: 1, pitch: 1, energy: 1, instruction: "", speed: 1, seed: 0, proof: false, language: "auto", voice: "" };
const FACTORS = ["rate", "pitch", "energy", "speed"];

/** What was chosen, remembered in this browser. */
export const choice = { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORE) ?? "{}") };

export function choose(part) {
  Object.assign(choice, part);
  localStorage.setItem(STORE, JSON.stringify(choice));
}

/** How it is said: style, strength, rate, pitch, energy, in one's own words, speed, seed, and whether it is proof-listened. */
export class Manner {
  constructor() {
    this.element = h("section", { class: "sp-manner fa-card", tLabel: "speak_manner" });
  }

  /** What the engine can do, as `GET /v1/speak` says. */
  fill(studio) {
    this.studio = studio;
    if (!studio.styles.includes(choice.style)) choose({ style: DEFAULTS.style });
    this.draw();
  }

  draw() {
    const { controls } = this.studio;
    this.element.replaceChildren(
      h("div", { class: "sp-voices-head" }, h("h2", { class: "sp-heading", t: "speak_manner" }),
        h("button", { type: "button", class: "fa-btn is-small is-quiet", t: "speak_reset", onclick: () => this.reset() })),
      this.styles(),
      h("div", { class: "sp-sliders" }, ...FACTORS.map((name) => this.factor(name))),
      h("div", { class: "sp-manner-row" }, this.instruction(controls.instruction), this.seed(controls.seed)),
      this.proof());
  }

  reset() {
    const { voice, language } = choice;
    choose({ ...DEFAULTS, voice, language });
    this.draw();
  }

  styles() {
    const { controls, styles } = this.studio;
    const why = whyNot("style", controls.style);
    const strength = slider({ key: "style_strength", min: 0, max: 1, step: 0.05, value: choice.strength, show: (value) => t("percent", { n: Math.round(100 * value) }),
      onInput: (value) => choose({ strength: value }) });
    const paint = () => {
      const plain = choice.style === "neutral";
      strength.querySelector("input").disabled = plain;
      strength.classList.toggle("is-off", plain);
      strength.title = plain ? t("strength_why_not") : "";
    };
    const chips = styles.map((style) => h("label", { class: "fa-chip" }, h("input", { type: "radio", name: "sp-style", class: "fa-sr", value: style, checked: style === choice.style, disabled: controls.style !== true,
      onchange: () => { choose({ style }); paint(); } }), h("span", { t: `style_${style}` })));
    paint();
    return h("div", { class: "sp-styles" }, h("fieldset", { class: "fa-field" }, h("legend", { class: "fa-label", t: "style" }), h("div", { class: "fa-chips" }, ...chips), why), strength);
  }

  factor(name) {
    const able = this.studio.controls[name] ?? true;
    const why = whyNot(name, able);
    const element = slider({ key: `speak_${name}`, min: 0.5, max: 2, step: 0.05, value: able === true ? choice[name] : 1, show: times, disabled: able !== true, why, onInput: (value) => choose({ [name]: value }) });
    element.title = t(`speak_${name}_why`);
    return element;
  }

  instruction(able) {
    const why = whyNot("instruction", able);
    const input = h("input", { type: "text", class: "fa-input", id: "sp-instruction", maxLength: MOST_INSTRUCTION, tPlaceholder: "speak_instruction_hint", disabled: able !== true, value: choice.instruction,
      "aria-describedby": why?.id, onchange: () => choose({ instruction: input.value.trim() }) });
    const element = field("speak_instruction", "sp-instruction", input);
    if (why) element.append(why);
    return element;
  }

  seed(able) {
    const why = whyNot("seed", able);
    const input = h("input", { type: "number", class: "fa-input fa-num", id: "sp-seed", min: "0", max: String(SEEDS), step: "1", disabled: able !== true, value: String(choice.seed), "aria-describedby": why?.id,
      onchange: () => {
        input.value = String(Math.min(SEEDS, Math.max(0, Math.round(Number(input.value) || 0))));
        choose({ seed: Number(input.value) });
      } });
    const dice = iconButton("dice", "speak_dice", () => {
      input.value = String(1 + Math.floor(Math.random() * (SEEDS - 1)));
      choose({ seed: Number(input.value) });
    }, { class: "fa-iconbtn is-framed", disabled: able !== true });
    const element = field("speak_seed", "sp-seed", h("div", { class: "fa-row" }, input, dice));
    if (why) element.append(why);
    return element;
  }

  proof() {
    const box = h("input", { type: "checkbox", checked: choice.proof, onchange: () => choose({ proof: box.checked }) });
    return h("label", { class: "sp-check" }, box, h("span", {}, h("b", { t: "speak_proof" }), h("span", { class: "fa-quiet", t: "speak_proof_why" })));
  }

  /** The choices as a take is asked for with; what the engine lacks is left at what it is without. */
  asked() {
    const able = (name) => (this.studio.controls[name] ?? true) === true;
    return Object.fromEntries(Object.entries(DEFAULTS).map(([name, plain]) => [name, able(name) ? choice[name] : plain]));
  }
}
