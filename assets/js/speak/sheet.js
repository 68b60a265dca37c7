import { h, iconButton } from "../dom.js";
import { Notice } from "./parts.js";

/** A sheet over the page. Escape, the cross and a click beside it close it; `onClose` is told once. */
export class Sheet {
  /** `steps`: label keys where it goes step by step. */
  constructor(place, { title, steps = [], onClose = () => {} }) {
    this.notice = new Notice();
    this.body = h("div", { class: "sp-sheet-body", tabindex: "-1" });
    this.foot = h("footer", { class: "sp-sheet-foot" });
    this.marks = steps.map((key, i) => h("li", {}, h("span", { class: "sp-step-number" }, String(i + 1)), h("span", { t: key })));
    this.element = h("dialog", { class: "sp-sheet", tLabel: title },
      h("header", { class: "sp-sheet-head" }, h("h2", { t: title }), iconButton("close", "dismiss", () => this.close())),
      this.marks.length > 0 && h("ol", { class: "sp-steps" }, ...this.marks), this.body, this.notice.element, this.foot);
    this.element.addEventListener("close", () => {
      this.element.remove();
      onClose();
    });
    this.element.addEventListener("pointerdown", (event) => event.target === this.element && this.close());
    place.append(this.element);
    this.element.showModal();
  }

  /** What it shows now, and the buttons beneath it. */
  show(step, body, foot = []) {
    this.marks.forEach((mark, i) => {
      mark.className = i < step ? "is-done" : i === step ? "is-now" : "";
      if (i === step) mark.setAttribute("aria-current", "step");
      else mark.removeAttribute("aria-current");
    });
    this.notice.clear();
    this.body.replaceChildren(...body);
    this.foot.replaceChildren(...foot);
    if (this.shown) (this.body.querySelector("[data-first]") ?? this.body).focus(); // the button that led here is gone
    this.shown = true;
  }

  close() {
    this.element.close();
  }
}
