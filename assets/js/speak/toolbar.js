import { h } from "../dom.js";
import { icon } from "../icons.js";
import { lookup } from "../i18n.js";
import { reasonOf, write } from "./parts.js";

const PAUSE = "0.5"; // seconds, as it is first written
const EXAMPLES = { zh: "{重庆|chong2 qing4}", en: "{read|R EH1 D}" };

/** The marks that can be written into a text, put in at the cursor; those that the engine lacks say why. */
export class Toolbar {
  /** `text` is the textarea that is written into. */
  constructor(text) {
    this.text = text;
    this.hint = h("p", { class: "sp-why", role: "status" });
    this.row = h("div", { class: "sp-toolbar", role: "group", tLabel: "speak_marks" });
    this.element = h("div", {}, this.row, this.hint);
    document.addEventListener("click", ({ target }) => {
      if (this.menu?.open && !this.menu.contains(target)) this.menu.open = false;
    });
  }

  /** `tokens` and `controls` as `GET /v1/speak` says. */
  fill({ tokens, controls }) {
    write(this.hint, "");
    const mark = (able, what, key, run, ...shown) => h("button", { type: "button", class: "sp-mark", tTitle: key, "aria-disabled": able === true ? null : "true", "data-mark": what,
      onclick: () => {
        if (this.menu) this.menu.open = false;
        if (able === true) run();
        else write(this.hint, reasonOf(what, able));
      } }, ...shown);
    const token = ({ token: written, able }) => mark(able, "tokens", "speak_mark_token", () => this.putToken(written), h("code", {}, closing(written) ? `${written}…${closing(written)}` : written), h("span", { class: "fa-quiet" }, lookup(`speak_${closing(written) ? "stretch" : "token"}_${nameOf(written)}`) ?? ""));
    this.menu = tokens.length ? h("details", { class: "sp-menu", onkeydown: (event) => {
      if (event.key !== "Escape") return;
      this.menu.open = false;
      this.menu.firstChild.focus();
    } }, h("summary", { class: "sp-mark" }, icon("laughter", 18), h("span", { t: "speak_mark_sounds" })), h("div", { class: "sp-menu-list fa-pop" }, ...tokens.map(token))) : null;
    this.row.replaceChildren(...[
      mark(true, "pause", "speak_mark_pause_why", () => this.put(`[pause ${PAUSE}]`, 7, 7 + PAUSE.length), icon("pause", 18), h("span", { t: "speak_mark_pause" })),
      mark(controls.readings, "readings", "speak_mark_reading_why", () => this.putReading(), icon("edit", 18), h("span", { t: "speak_mark_reading" })),
      this.menu,
    ].filter(Boolean));
  }

  /** The selected text between `before` and `after`, or else the mark alone with what stands from `from` to `to` of it selected. */
  put(written, from = written.length, to = from) {
    const { selectionStart: start, selectionEnd: end, value } = this.text;
    this.text.focus();
    // So that the browser's own undo takes it back.
    if (!document.execCommand("insertText", false, written)) this.text.value = value.slice(0, start) + written + value.slice(end);
    this.text.setSelectionRange(start + from, start + to);
    this.text.dispatchEvent(new Event("input"));
  }

  get selected() {
    return this.text.value.slice(this.text.selectionStart, this.text.selectionEnd);
  }

  putReading() {
    const word = this.selected.trim();
    const written = `{${word}|}`;
    this.put(written, word ? written.length - 1 : 1);
    write(this.hint, ["speak_reading_hint", EXAMPLES]);
  }

  putToken(written) {
    const end = closing(written);
    if (end) this.put(written + this.selected + end, written.length, written.length + this.selected.length);
    else this.put(written);
  }
}

const nameOf = (token) => token.replace(/[^a-z_-]/gi, "").replaceAll("-", "_");

/** `</strong>` of `<strong>`; nothing for a mark that stands alone. */
const closing = (token) => (token.startsWith("<") ? token.replace("<", "</") : "");
