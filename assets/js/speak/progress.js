import { h } from "../dom.js";
import { label } from "../i18n.js";

const MOST_MARKS = 24; // paragraphs; more than these are one bar

/** How far a take is: a mark for each paragraph, filled as its parts are made. */
export class Progress {
  constructor(paragraphs, parts) {
    Object.assign(this, { paragraphs, parts });
    const count = paragraphs > 1 && paragraphs <= MOST_MARKS ? paragraphs : 1;
    this.marks = Array.from({ length: count }, () => h("span", {}, h("i", {})));
    this.element = h("div", { class: "sp-progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": String(parts), tLabel: "speak_progress" }, ...this.marks);
    this.made = 0;
    this.paragraph = 0;
  }

  /** `made` parts are there; the last is of `paragraph` (from 0). What came before that paragraph is whole. */
  show(made, paragraph) {
    Object.assign(this, { made, paragraph });
    const done = made >= this.parts;
    this.element.setAttribute("aria-valuenow", String(made));
    this.marks.forEach((mark, i) => {
      const share = this.marks.length === 1 ? made / this.parts : done || i < paragraph ? 1 : i === paragraph ? 0.5 : 0;
      mark.style.setProperty("--share", `${100 * share}%`);
    });
  }

  /** Writes how far it is. */
  tell(element) {
    if (this.paragraphs > 1) label(element, "text", ["speak_paragraph", { n: this.paragraph + 1, of: this.paragraphs }]);
    else label(element, "text", ["speak_part", { n: Math.min(this.made + 1, this.parts), of: this.parts }]);
  }
}
