import { output } from "./audio/player.js";
import { h } from "./dom.js";
import { onEngines, onFetching } from "./engines.js";
import { currentLang, onLang } from "./i18n.js";
import { ask, Refusal, sendFile } from "./speak/api.js";
import { voiceFromClip } from "./speak/clone.js";
import { Composer } from "./speak/composer.js";
import { designVoice } from "./speak/design.js";
import { Detect } from "./speak/detect.js";
import { editVoice } from "./speak/edit.js";
import { takeDrops } from "./speak/intake.js";
import { choice, choose, Manner } from "./speak/manner.js";
import { Takes } from "./speak/takes.js";
import { Voices } from "./speak/voices.js";

// The Speak tab: a text, a voice and a manner on one side, what became of them on the other.
const RETRY_MS = 2000;
const NARROW = matchMedia("(max-width: 960px)");
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

class Studio {
  constructor(place) {
    this.place = place;
    this.about = null; // as `GET /v1/speak` says
    this.composer = new Composer({ speak: (text) => this.speak(text), convert: (file) => this.convert(file), language: (language) => choose({ language }) });
    this.voices = new Voices({
      choose: ({ id }) => this.takeVoice(id),
      edit: (voice) => editVoice(place, voice, () => this.refresh()),
      clone: () => voiceFromClip(place, this.about, "clone", (id) => this.kept(id)),
      match: () => voiceFromClip(place, this.about, "match", (id) => this.kept(id)),
      design: () => designVoice(place, this.about, choice.voice, (id) => this.kept(id)),
      changed: (id) => this.kept(id),
    });
    this.manner = new Manner();
    this.takes = new Takes(h("div", { class: "sp-empty" }, h("p", { class: "sp-empty-title", t: "speak_empty_title" }), h("p", { class: "fa-quiet", t: "speak_empty" })));
    this.detect = new Detect();
    this.waiting = h("p", { class: "fa-quiet sp-loading", t: "voice_loading" });
    this.side = h("div", { class: "sp-right" }, this.takes.element, this.detect.element);
    this.page = h("div", { class: "sp-page", hidden: true }, this.composer.element, this.side, h("div", { class: "sp-left" }, this.voices.element, this.manner.element));
    place.append(this.waiting, this.page);
    takeDrops(this.page, (files) => this.detect.take(files));
    onLang(() => this.about && this.fill());
    this.engine = null;
    onEngines((engines) => this.engineChanged(engines.find(({ job }) => job === "synthesizer")?.engine));
    onFetching((fetching) => this.takes.fetching(fetching));
    this.begin();
  }

  /** Asks until the server answers. */
  async begin() {
    while (!(await this.reached())) await new Promise((again) => { setTimeout(again, RETRY_MS); });
    this.waiting.hidden = true;
    this.page.hidden = false;
  }

  async reached() {
    try {
      await this.refresh();
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return false;
    }
  }

  async refresh() {
    this.about = await ask("v1/speak");
    const { voices } = this.about;
    if (!voices.some(({ id }) => id === choice.voice)) choose({ voice: (voices.find(({ languages: [own] }) => own === currentLang()) ?? voices[0])?.id ?? "" });
    this.fill();
  }

  fill() {
    this.composer.fill(this.about, choice.language);
    this.voices.fill(this.about, choice.voice);
    this.manner.fill(this.about);
    this.detect.fill(this.about);
    this.takeVoice(choice.voice);
  }

  engineChanged(engine) {
    const changed = this.engine && engine && engine !== this.engine;
    this.engine = engine ?? this.engine;
    if (changed) this.begin();
  }

  get voice() {
    return this.about.voices.find(({ id }) => id === choice.voice);
  }

  takeVoice(id) {
    choose({ voice: id });
    this.composer.showVoice(this.voice?.name ?? "");
  }

  /** A voice has come into the library: it is shown and taken. */
  async kept(id) {
    choose({ voice: id });
    await this.refresh();
  }

  speak(text) {
    const asked = this.manner.asked();
    const { style, speed, seed, proof } = asked;
    const tags = [
      style !== "neutral" && { t: `style_${style}` },
      speed !== 1 && { t: ["speed_value", { n: speed }] },
      this.about.controls.seed === true && { t: ["speak_seed_is", { n: seed }] },
      proof && { t: "speak_proofed" },
    ].filter(Boolean);
    this.make(() => ask("v1/speak/takes", { method: "POST", json: { ...asked, text } }), { text, tags });
  }

  convert(file) {
    this.make(() => sendFile("v1/speak/convert", file, { fields: { voice: choice.voice } }), { text: file.name, tags: [{ t: "speak_converted" }] });
  }

  async make(begin, { text, tags }) {
    output(); // while the click still counts: the first sound comes later
    this.composer.busy(true);
    await this.composer.notice.over(async () => {
      const { name } = this.voice;
      const take = this.takes.add(await begin(), { text, name, tags }, this.about.formats);
      if (NARROW.matches) take.element.scrollIntoView({ block: "center", behavior: STILL.matches ? "auto" : "smooth" });
    });
    this.composer.busy(false);
  }
}

/** Fills the tab's place. */
export function mount(place) {
  new Studio(place);
}
