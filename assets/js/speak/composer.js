import { h } from "../dom.js";
import { label, t } from "../i18n.js";
import { icon } from "../icons.js";
import { Intake } from "./intake.js";
import { button, languageName, Notice, reasonOf, write } from "./parts.js";
import { Toolbar } from "./toolbar.js";

const DRAFT = "funaudio.speak.text"; // for as long as the browser's tab is open
const EXAMPLES = ["greeting", "pause", "chinese"];

/** What is said: a text with its marks, or a recording that another voice takes over. */
export class Composer {
  /** `on`: {speak(text), convert(file), language(code)}. */
  constructor(on) {
    this.on = on;
    this.mode = "text";
    this.notice = new Notice();
    this.engine = h("span", { class: "fa-quiet sp-engine" });
    this.modes = ["text", "recording"].map((mode) => h("button", { type: "button", class: "sp-mode", "data-mode": mode, onclick: () => this.choose(mode) }, h("span", { t: `speak_mode_${mode}` })));
    this.text = h("textarea", { class: "sp-text", id: "sp-text", rows: 7, tLabel: "speak_text", tPlaceholder: "speak_placeholder", dir: "auto", spellcheck: "true",
      oninput: () => this.count(), onkeydown: (event) => this.key(event) });
    this.text.value = sessionStorage.getItem(DRAFT) ?? "";
    this.toolbar = new Toolbar(this.text);
    this.counter = h("span", { class: "fa-num fa-quiet sp-counter" });
    this.language = h("select", { class: "fa-select", tLabel: "speak_language", tTitle: "speak_language", onchange: () => on.language(this.language.value) });
    this.go = h("button", { type: "button", class: "fa-btn is-primary sp-go", tTitle: "speak_go_keys", onclick: () => this.speak() }, icon("play", 20), h("span", { t: "speak_go" }));
    this.tries = h("div", { class: "fa-chips sp-tries", role: "group", tLabel: "speak_try" }, ...EXAMPLES.map((name) => h("button", { type: "button", class: "fa-chip", onclick: () => this.write(name) }, h("span", { t: `speak_try_${name}` }))));
    this.writing = h("div", { class: "sp-writing" }, this.toolbar.element, this.text, this.tries,
      h("div", { class: "sp-composer-foot" }, this.counter, this.language, this.go));
    this.converting = h("div", { class: "sp-converting", hidden: true });
    this.sending = h("p", { class: "fa-quiet sp-working", role: "status", hidden: true }, h("span", { class: "sp-spin" }), h("span", { t: "speak_sending" }));
    this.why = h("p", { class: "sp-why", role: "status" });
    this.element = h("section", { class: "sp-composer fa-card", tLabel: "speak_text" },
      h("div", { class: "sp-composer-head" }, h("div", { class: "sp-modes", role: "group", tLabel: "speak_mode" }, ...this.modes), this.engine),
      this.why, this.writing, this.converting, this.notice.element);
    this.choose("text");
  }

  /** What there is, as `GET /v1/speak` says; `language` is the one that was chosen. */
  fill(studio, language) {
    const { engine, controls, languages, limits } = studio;
    this.limits = limits;
    this.convert = controls.convert;
    label(this.engine, "text", ["speak_engine", { name: engine.name, device: engine.device.toUpperCase() }]);
    this.toolbar.fill(studio);
    this.language.replaceChildren(...["auto", ...languages].map((code) => h("option", { value: code, ...(code === "auto" ? { t: "speak_language_auto" } : {}) }, ...(code === "auto" ? [] : [languageName(code)]))));
    this.language.value = languages.includes(language) ? language : "auto";
    if (this.convert === true) this.modes[1].removeAttribute("aria-disabled");
    else this.modes[1].setAttribute("aria-disabled", "true");
    this.intake?.close();
    this.intake = new Intake({ title: "speak_convert_drop", hint: "speak_convert_hint", limits: { bytes: limits.upload_bytes }, onFile: (file) => this.on.convert(file), onProblem: (sentence) => this.notice.show(sentence) });
    this.converting.replaceChildren(this.intake.element, this.sending);
    if (this.convert !== true && this.mode === "recording") this.choose("text");
    this.count();
  }

  choose(mode) {
    if (mode === "recording" && this.convert !== true) {
      write(this.why, this.why.textContent ? "" : reasonOf("convert", this.convert));
      return;
    }
    this.mode = mode;
    write(this.why, "");
    this.notice.clear();
    this.modes.forEach((button_) => button_.setAttribute("aria-pressed", String(button_.dataset.mode === mode)));
    this.writing.hidden = mode !== "text";
    this.converting.hidden = mode !== "recording";
  }

  count() {
    const { value } = this.text;
    sessionStorage.setItem(DRAFT, value);
    this.tries.hidden = value !== "";
    if (!this.limits) return;
    const over = value.length > this.limits.characters;
    label(this.counter, "text", ["speak_characters", { n: value.length.toLocaleString(), limit: this.limits.characters.toLocaleString() }]);
    this.counter.classList.toggle("is-over", over);
    this.go.disabled = over;
  }

  write(name) {
    this.text.focus();
    this.text.value = "";
    this.toolbar.put(t(`speak_say_${name}`));
  }

  key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.speak();
  }

  speak() {
    if (!this.text.value.trim()) {
      this.notice.show(["speak_nothing"]);
      this.text.focus();
    } else if (!this.go.disabled) this.on.speak(this.text.value);
  }

  /** Names the voice on the button that speaks. */
  showVoice(name) {
    label(this.go.lastChild, "text", name ? ["speak_go_with", { name }] : "speak_go");
  }

  /** The server is asked and has not answered yet. */
  busy(on) {
    this.go.classList.toggle("is-busy", on);
    this.intake.element.classList.toggle("is-busy", on);
    this.sending.hidden = !on;
    this.go.disabled = on;
    if (!on) this.count();
  }
}
