import { h } from "../dom.js";
import { currentLang } from "../i18n.js";
import { icon } from "../icons.js";
import { sendFile } from "./api.js";
import { button, languageName, Notice, reasonOf, write } from "./parts.js";
import { voiceCard } from "./voicecard.js";

const KINDS = ["preset", "blend", "cloned"];

/** The voices as a grid of cards, and the ways to get new ones. */
export class Voices {
  /** `on`: {choose(voice), edit(voice), clone(), match(), design(), changed()}: the last when the library has changed. */
  constructor(on) {
    this.on = on;
    this.voices = [];
    this.chosen = null;
    this.filter = { language: null, kind: "", words: "" };
    this.notice = new Notice();
    this.languages = h("div", { class: "fa-chips sp-languages", role: "group", tLabel: "transcribe_languages" });
    this.kind = h("select", { class: "fa-select", tLabel: "speak_kind", onchange: () => this.narrow({ kind: this.kind.value }) },
      h("option", { value: "", t: "speak_kind_all" }), ...KINDS.map((kind) => h("option", { value: kind, t: `speak_kinds_${kind}` })));
    this.search = h("input", { type: "search", class: "fa-input", tPlaceholder: "speak_find", tLabel: "speak_find", maxLength: 60, oninput: () => this.narrow({ words: this.search.value }) });
    this.grid = h("div", { class: "sp-voice-grid", role: "radiogroup", tLabel: "voice" });
    this.nothing = h("p", { class: "fa-quiet sp-nothing", t: "speak_no_voices", hidden: true });
    this.makers = h("div", { class: "sp-makers" });
    this.why = h("p", { class: "sp-why", role: "status" });
    this.chooser = h("input", { type: "file", class: "fa-sr", tabindex: "-1", tLabel: "speak_import", accept: ".voice,.zip", onchange: () => this.bring() });
    this.element = h("section", { class: "sp-voices fa-card", tLabel: "speak_voices" },
      h("div", { class: "sp-voices-head" }, h("h2", { class: "sp-heading", t: "speak_voices" }), this.makers), this.why,
      h("div", { class: "sp-filter" }, this.languages, h("div", { class: "sp-filter-more" }, h("span", { class: "sp-search" }, icon("search", 16), this.search), this.kind)),
      this.notice.element, this.grid, this.nothing, this.chooser);
  }

  /** What there is: `studio` as `GET /v1/speak` says, `chosen` the id of the voice that is taken. */
  fill(studio, chosen) {
    this.voices = studio.voices;
    this.limits = studio.limits;
    this.chosen = chosen;
    const counts = new Map();
    for (const { languages: [first] } of this.voices) counts.set(first, (counts.get(first) ?? 0) + 1);
    if (this.filter.language === null) this.filter.language = counts.has(currentLang()) ? currentLang() : "";
    if (!counts.has(this.filter.language)) this.filter.language = "";
    const codes = ["", ...[...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a))];
    this.languages.replaceChildren(...codes.map((code) => h("button", { type: "button", class: "fa-chip", "data-language": code, "aria-pressed": String(code === this.filter.language),
      onclick: () => this.narrow({ language: code }) }, code ? languageName(code) : h("span", { t: "speak_all" }), h("span", { class: "sp-count fa-num" }, String(code ? counts.get(code) : this.voices.length)))));
    this.drawMakers(studio.controls);
    this.draw();
  }

  drawMakers({ clone, match, blend }) {
    const maker = (name, key, what, able, run, props = {}) => button(name, key, () => (able === true ? run() : this.tell(what, able)),
      { class: "fa-btn is-small", "aria-disabled": able === true ? null : "true", "data-make": what, ...props });
    this.tell(null);
    this.makers.replaceChildren(
      ...(clone === true ? [] : [maker("person", "speak_match", "match", match, this.on.match)]),
      maker("mic", "speak_clone", "clone", clone, this.on.clone),
      maker("blend", "speak_design", "blend", blend, this.on.design),
      button("upload", "speak_import", () => this.chooser.click(), { class: "fa-btn is-small is-quiet" }));
  }

  /** Says why a maker does not work here; a second press takes the sentence away. */
  tell(what, able) {
    const again = what === this.told;
    this.told = again ? null : what;
    write(this.why, what && !again ? reasonOf(what, able) : "");
  }

  narrow(part) {
    Object.assign(this.filter, part);
    for (const chip of this.languages.children) chip.setAttribute("aria-pressed", String(chip.dataset.language === this.filter.language));
    this.draw();
  }

  draw() {
    const { language, kind, words } = this.filter;
    const wanted = words.trim().toLowerCase().split(/\s+/);
    const fits = (voice) => (!language || voice.languages[0] === language || voice.id === this.chosen && voice.saved) && (!kind || voice.kind === kind)
      && wanted.every((word) => [voice.name, ...(voice.tags ?? [])].some((text) => text.toLowerCase().includes(word)));
    const shown = this.voices.filter(fits).sort((a, b) => Boolean(b.saved) - Boolean(a.saved));
    this.grid.replaceChildren(...shown.map((voice) => voiceCard(voice, {
      chosen: voice.id === this.chosen, notice: this.notice, onEdit: this.on.edit,
      onChoose: () => {
        this.chosen = voice.id;
        this.on.choose(voice);
      },
    })));
    this.nothing.hidden = shown.length > 0;
  }

  async bring() {
    const [file] = this.chooser.files;
    if (!file) return;
    await this.notice.over(async () => {
      const voice = await sendFile("v1/voices/import", file);
      await this.on.changed(voice.id);
    });
    this.chooser.value = "";
  }
}
