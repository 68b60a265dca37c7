import { h } from "../dom.js";

const SEARCH = 60; // characters ahead in which a spoken word is looked for in the written text

/** The reply's text: written as the model writes it, then each word lit as it is said. */
export class Said {
  constructor() {
    this.tail = document.createTextNode("");
    this.element = h("p", { class: "fa-said", dir: "auto" }, this.tail);
    this.words = []; // {element, start, end}, in seconds of the reply's sound
    this.rest = ""; // text that no spoken word has claimed yet
    this.text = "";
  }

  /** More text from the model. */
  write(text) {
    this.text += text;
    this.rest += text;
    this.tail.data = this.rest;
  }

  /** A piece of speech that begins at `offset` seconds; what it says is found again in the text. */
  speak(words, offset) {
    for (const { text, start, end } of words) {
      const word = text.trim();
      const at = word ? this.rest.slice(0, SEARCH + word.length).indexOf(word) : -1;
      if (at < 0) continue;
      const element = h("span", { class: "fa-word" }, word);
      this.tail.before(this.rest.slice(0, at), element);
      this.rest = this.rest.slice(at + word.length);
      this.words.push({ element, start: offset + start, end: offset + end });
    }
    this.tail.data = this.rest;
  }

  /** Lights what is said at `seconds`. */
  light(seconds) {
    for (const { element, start, end } of this.words) {
      element.classList.toggle("is-said", start <= seconds);
      element.classList.toggle("is-now", start <= seconds && seconds < end);
    }
  }

  /** All of it was said, or will not be said any more. */
  settle() {
    this.element.classList.add("is-settled");
    this.words.forEach(({ element }) => element.classList.remove("is-now"));
  }

  /** Playing begins: unsaid words are dim again. */
  unsettle() {
    this.element.classList.remove("is-settled");
  }
}
