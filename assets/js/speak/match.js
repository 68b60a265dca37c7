import { h } from "../dom.js";
import { label } from "../i18n.js";
import { events, Refusal, sentenceOf } from "./api.js";
import { button, reasonOf, write } from "./parts.js";
import { likeness, listenButton } from "./voicecard.js";

/** In place of cloning: the engine's own voices are blended until they are as near to the clip as they come. */
export class MatchStep {
  /** `onMatched(blend, similarity)` when it is found. */
  constructor({ clip, studio, notice, onMatched }) {
    Object.assign(this, { clip, studio, notice, onMatched });
    this.bar = h("span");
    this.progress = h("div", { class: "fa-progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", tLabel: "speak_match_progress" }, this.bar);
    this.words = h("p", { class: "fa-num", role: "status" });
    this.alike = h("p", { class: "sp-alike" });
    this.stop = button("stop", "speak_stop", () => this.abort.abort());
    this.again = button("again", "speak_match_again", () => this.run());
    this.found = h("div", { class: "sp-found", hidden: true });
    this.elements = [studio.controls.clone === true ? null : write(h("p", { class: "fa-quiet" }), reasonOf("clone", studio.controls.clone)),
      h("p", { t: "speak_match_lead" }), h("div", { class: "sp-match" }, this.words, this.progress, this.alike, this.found), h("div", { class: "sp-consent-row" }, this.stop, this.again)].filter(Boolean);
    this.run();
  }

  async run() {
    this.abort = new AbortController();
    this.found.hidden = this.again.hidden = true;
    this.stop.hidden = this.progress.hidden = false;
    this.alike.replaceChildren();
    this.tell(0, 0);
    label(this.words, "text", "speak_match_listening");
    let blend = null;
    await this.notice.over(async () => {
      for await (const event of events(`v1/speak/clips/${this.clip.id}/match`, this.abort.signal)) {
        if (event.type === "progress") this.follow(event);
        else if (event.type === "matched") {
          ({ blend } = event);
          this.show(event);
        } else if (event.type === "failed") throw new Refusal(sentenceOf(event.error));
      }
      if (!blend) throw new Refusal(["speak_broke_off"]);
    });
    this.stop.hidden = true;
    this.again.hidden = blend !== null;
    if (!blend) label(this.words, "text", "speak_match_stopped");
  }

  follow({ done, of, similarity }) {
    this.tell(done, of);
    label(this.words, "text", ["speak_match_tried", { done, of }]);
    if (similarity > 0) this.alike.replaceChildren(likeness(similarity));
  }

  tell(done, of) {
    const percent = of ? Math.round((100 * done) / of) : 0;
    this.progress.classList.toggle("is-open", !of);
    this.bar.style.width = of ? `${percent}%` : "";
    this.progress.setAttribute("aria-valuenow", String(percent));
  }

  show({ blend, similarity }) {
    const names = new Map(this.studio.voices.map((voice) => [voice.id, voice]));
    const [best] = [...blend].sort((a, b) => b[1] - a[1]);
    this.progress.hidden = true;
    label(this.words, "text", "speak_match_found");
    this.alike.replaceChildren(likeness(similarity));
    this.found.replaceChildren(
      listenButton({ asked: () => ({ voice: best[0], blend }), languages: () => names.get(best[0])?.languages ?? ["en"], notice: this.notice }, { class: "sp-play is-large" }),
      h("ul", { class: "sp-shares" }, ...[...blend].sort((a, b) => b[1] - a[1]).map(([id, share]) => h("li", { style: `--share: ${100 * share}%` }, h("span", {}, names.get(id)?.name ?? id), h("span", { class: "fa-num fa-quiet", t: ["percent", { n: Math.round(100 * share) }] })))));
    this.found.hidden = false;
    this.onMatched(blend, similarity);
  }

  close() {
    this.abort.abort();
  }
}
