import { h } from "../dom.js";

const NO_SPACES = /[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef\u3000-\u303f]$/;
const LINGER_S = 0.15; // a word stays lit this long after its end, so that a breath does not flicker

/** What a take says, paragraph by paragraph as it is made, each word lit as it is said. `onWord(seconds)` where one is clicked. */
export class Reading {
  constructor(onWord) {
    this.element = h("div", { class: "sp-reading", dir: "auto", onclick: ({ target }) => {
      const word = target.closest("[data-start]");
      if (word) onWord(Number(word.dataset.start));
    } });
    this.paragraphs = new Map(); // number -> element
    this.parts = new Map(); // number -> elements of what it says
    this.words = []; // {element, start, end}
    this.lit = null;
  }

  /** A stretch of speech that begins at `start` seconds and lasts `seconds`; `words`: [text, start, end] from its beginning. */
  add({ part, paragraph, text, words, start }, seconds) {
    if (!text.trim()) return;
    const place = this.paragraph(paragraph);
    if (place.textContent && !NO_SPACES.test(place.textContent)) place.append(" ");
    const said = h("span", { class: "sp-part" });
    place.append(said);
    this.parts.set(part, [...(this.parts.get(part) ?? []), said]);
    this.spell(said, text.trim(), words?.length ? words : [[text.trim(), 0, seconds]], start);
  }

  paragraph(number) {
    if (!this.paragraphs.has(number)) {
      const element = h("p", {});
      this.paragraphs.set(number, element);
      this.element.append(element);
    }
    return this.paragraphs.get(number);
  }

  spell(place, text, words, offset) {
    let at = 0;
    for (const [word, from, to] of words) {
      const bare = word.trim();
      const found = bare ? text.indexOf(bare, at) : -1;
      if (found < 0) continue;
      const element = h("span", { class: "sp-word", "data-start": String(offset + from) }, bare);
      place.append(text.slice(at, found), element);
      this.words.push({ element, start: offset + from, end: offset + to });
      at = found + bare.length;
    }
    place.append(text.slice(at));
  }

  /** Forgets a part and all after it: they will come again. */
  dropFrom(part) {
    const gone = [...this.parts].filter(([number]) => number >= part).flatMap(([, elements]) => elements);
    gone.forEach((element) => element.remove());
    this.parts = new Map([...this.parts].filter(([number]) => number < part));
    this.words = this.words.filter(({ element }) => !gone.some((said) => said.contains(element)));
    this.lit = null;
  }

  /** Lights the word that is said at `seconds`, and keeps it in sight. */
  light(seconds) {
    let [low, high] = [0, this.words.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.words[middle].start <= seconds) low = middle;
      else high = middle - 1;
    }
    const word = this.words[low];
    const now = word && word.start <= seconds && seconds < word.end + LINGER_S ? word.element : null;
    if (now === this.lit) return;
    this.lit?.classList.remove("is-said");
    now?.classList.add("is-said");
    this.lit = now;
    if (now) this.keepInSight(now);
  }

  /** Scrolls the text, and not the page. */
  keepInSight(word) {
    const [one, box] = [word.getBoundingClientRect(), this.element.getBoundingClientRect()];
    if (one.top < box.top || one.bottom > box.bottom) this.element.scrollTop += one.top - box.top - box.height / 3;
  }

  /** Underlines a part that was heard otherwise than written; the tooltip says how. */
  doubt(part, title) {
    for (const element of this.parts.get(part) ?? []) {
      element.classList.add("is-doubted");
      element.title = title;
    }
  }
}
