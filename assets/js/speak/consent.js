import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { ask, sendFile } from "./api.js";
import { Microphone } from "./intake.js";
import { button, write } from "./parts.js";

const LONGEST_S = 30;

/** The second step: the person whose voice it is reads a fresh sentence aloud, and the program says whether it was they. */
export class ConsentStep {
  /** `onVerdict(ok)` after each reading; `notice` for what goes wrong. */
  constructor({ clip, notice, onVerdict }) {
    Object.assign(this, { clip, notice, onVerdict });
    this.sentence = h("blockquote", { class: "sp-sentence" });
    this.microphone = new Microphone({ key: "speak_consent_read", seconds: LONGEST_S, onFile: (file) => this.judge(file), onProblem: (sentence) => notice.show(sentence), onState: () => this.verdict.replaceChildren() });
    this.other = button("again", "speak_consent_other", () => this.fresh(), { class: "fa-btn is-quiet" });
    this.verdict = h("div", { class: "sp-verdict", role: "status" });
    this.elements = [h("p", { t: "speak_consent_lead" }), this.sentence, h("div", { class: "sp-consent-row" }, this.microphone.button, this.other), this.microphone.canvas, this.verdict];
    this.fresh();
  }

  /** Another sentence: a reading of the one before counts no more. */
  async fresh() {
    this.onVerdict(false);
    this.verdict.replaceChildren();
    await this.notice.over(async () => {
      const { sentence, language } = await ask(`v1/speak/clips/${this.clip.id}/consent`, { method: "POST" });
      this.sentence.textContent = sentence;
      this.sentence.lang = language;
    });
  }

  async judge(file) {
    this.verdict.replaceChildren(h("p", { class: "fa-quiet sp-working" }, h("span", { class: "sp-spin" }), h("span", { t: "speak_consent_checking" })));
    const went = await this.notice.over(async () => {
      const verdict = await sendFile(`v1/speak/clips/${this.clip.id}/consent`, file, { method: "PUT" });
      this.show(verdict);
    });
    if (!went) this.verdict.replaceChildren();
  }

  show({ ok, heard, wrong, similarity, key, message }) {
    const sentence = ok ? ["speak_consent_ok"] : key && t(key) !== key ? [key, { wrong, similarity }] : message ?? ["speak_consent_not"];
    const values = { heard, right: Math.round(100 * (1 - Math.min(1, wrong))), alike: Math.round(100 * Math.max(0, similarity)) };
    this.verdict.replaceChildren(h("div", { class: `sp-verdict-card ${ok ? "is-ok" : "is-not"}` }, icon(ok ? "check" : "alert"),
      h("div", {}, write(h("p", {}), sentence), h("p", { class: "fa-quiet", t: ["speak_consent_figures", values] }), heard && h("p", { class: "fa-quiet", t: ["speak_heard_as", { heard }] }))));
    this.onVerdict(ok);
  }

  close() {
    this.microphone.close();
  }
}
