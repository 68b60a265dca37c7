import { h } from "../dom.js";
import { icon } from "../icons.js";
import { sendFile } from "./api.js";
import { Intake } from "./intake.js";
import { Notice } from "./parts.js";

/** Whether a file bears our watermark: drop it here and see. */
export class Detect {
  constructor() {
    this.notice = new Notice();
    this.verdict = h("div", { class: "sp-verdict", role: "status" });
    this.place = h("div", {});
    this.element = h("details", { class: "sp-detect fa-card" },
      h("summary", {}, icon("shield", 20), h("span", {}, h("b", { t: "speak_detect" }), h("span", { class: "fa-quiet", t: "speak_detect_why" }))),
      h("div", { class: "sp-detect-body" }, this.place, this.verdict, this.notice.element));
  }

  fill({ limits }) {
    this.intake = new Intake({ title: "speak_detect_drop", hint: "speak_detect_hint", limits: { bytes: limits.upload_bytes }, record: false,
      onFile: (file) => this.look(file), onProblem: (sentence) => this.notice.show(sentence) });
    this.place.replaceChildren(this.intake.element);
  }

  /** Files that were dropped elsewhere on the page: here somebody asks about them. */
  take(files) {
    this.element.open = true;
    this.element.scrollIntoView({ block: "nearest" });
    this.intake.take(files);
  }

  async look(file) {
    this.verdict.replaceChildren(h("p", { class: "fa-quiet sp-working" }, h("span", { class: "sp-spin" }), h("span", { t: "speak_detecting" })));
    const went = await this.notice.over(async () => {
      const { found } = await sendFile("v1/speak/detect", file);
      this.verdict.replaceChildren(h("div", { class: `sp-verdict-card ${found ? "is-found" : "is-clear"}` }, icon(found ? "shield" : "minus"),
        h("div", {}, h("p", { t: found ? "speak_detect_found" : "speak_detect_clear" }), h("p", { class: "fa-quiet", dir: "auto" }, file.name))));
    });
    if (!went) this.verdict.replaceChildren();
  }
}
