import { h, iconButton } from "../dom.js";
import { currentLang, lookup, onLang, t } from "../i18n.js";
import { ChatServer } from "./chatserver.js";
import { Engines } from "./engines.js";

const STORE = "funaudio.talk";
const OWN = "own";
const DEFAULTS = { voice: "", style: "auto", strength: 1, speed: 1, reply: "same", persona: "friend", instructions: "" };

/** How it answers: voice, style, speed, language, persona; and who does the work. Choices are remembered. */
export class Panel {
  /** `onChange(session)` gets the session fields of the protocol; `onPreview(voice)` is asked to let a voice be heard. */
  constructor({ onChange, onPreview, onClose, onStandIn }) {
    this.onChange = onChange;
    this.onPreview = onPreview;
    this.choice = { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORE) ?? "{}") };
    this.page = null;
    this.fields = h("div", { class: "fa-fields" }, h("p", { class: "fa-quiet", t: "voice_loading" }));
    this.engines = new Engines(onStandIn);
    this.chatServer = new ChatServer();
    this.element = h("aside", { class: "fa-panel", tLabel: "settings" },
      h("header", { class: "fa-panel-head" }, h("h2", { t: "settings" }), iconButton("close", "dismiss", onClose)),
      this.fields, this.engines.element, this.chatServer.element);
    onLang(() => {
      if (this.page) this.fill(this.page);
      this.change({});
    });
  }

  /** What there is to choose from, as `/v1/page` says. */
  fill(page) {
    this.page = page;
    if (!page.voices.some(({ id }) => id === this.choice.voice)) this.choice.voice = "";
    if (!page.styles.includes(this.choice.style)) this.choice.style = DEFAULTS.style;
    this.fields.replaceChildren(this.voiceField(page), this.styleField(page), this.speedField(page), this.replyField(page), this.personaField(page));
    this.engines.allow(page.switching);
    this.chatServer.allow(page.switching);
  }

  change(part) {
    Object.assign(this.choice, part);
    localStorage.setItem(STORE, JSON.stringify(this.choice));
    this.onChange(this.session());
  }

  /** The choices as fields of the protocol's session. */
  session() {
    const { voice, style, strength, speed, reply, persona, instructions } = this.choice;
    const own = persona === OWN && instructions.trim();
    return {
      ...(own ? { instructions } : {}),
      audio: {
        input: { format: { type: "audio/pcm", rate: 24000 }, turn_detection: null },
        output: { voice, speed },
      },
      funaudio: { lang: currentLang(), style, style_strength: strength, reply_language: reply, ...(own ? {} : { persona }) },
    };
  }

  voiceField({ voices }) {
    const groups = new Map();
    for (const voice of voices) {
      const [first] = voice.languages;
      groups.set(first, [...(groups.get(first) ?? []), voice]);
    }
    const own = [...groups].sort(([a], [b]) => (b === currentLang()) - (a === currentLang()));
    const select = h("select", { class: "fa-select", id: "fa-voice", onchange: () => this.change({ voice: select.value }) },
      h("option", { value: "", selected: !this.choice.voice, t: "voice_auto" }),
      ...own.map(([code, list]) => h("optgroup", { label: languageName(code) }, ...list.map((voice) =>
        h("option", { value: voice.id, selected: voice.id === this.choice.voice }, voiceName(voice))))));
    return field("voice", "fa-voice", h("div", { class: "fa-row" }, select,
      iconButton("play", "voice_play", () => this.onPreview(select.value), { class: "fa-iconbtn is-framed" })));
  }

  styleField({ styles }) {
    const strength = range("strength", 0, 1, 0.05, this.choice.strength, (value) => this.change({ strength: value }));
    const slider = h("div", { class: "fa-ends fa-strength" }, h("span", { t: "strength_low" }), strength, h("span", { t: "strength_high" }));
    const paint = () => {
      const plain = this.choice.style === "neutral";
      strength.disabled = plain;
      slider.title = plain ? t("strength_why_not") : t("style_strength");
      slider.classList.toggle("is-off", plain);
    };
    const chips = styles.map((style) => h("label", { class: "fa-chip", tTitle: style === "auto" ? "style_auto_why" : null },
      h("input", { type: "radio", name: "fa-style", class: "fa-sr", value: style, checked: style === this.choice.style,
        onchange: () => { this.change({ style }); paint(); } }), h("span", { t: `style_${style}` })));
    paint();
    return h("fieldset", { class: "fa-field" }, h("legend", { class: "fa-label", t: "style" }), h("div", { class: "fa-chips" }, ...chips), slider);
  }

  speedField({ speeds: [low, high] }) {
    const value = h("output", { class: "fa-num fa-quiet" });
    const paint = (speed) => { value.textContent = t("speed_value", { n: speed.toFixed(2).replace(/0$/, "") }); };
    const slider = range("speed", low, high, 0.05, this.choice.speed, (speed) => {
      paint(speed);
      this.change({ speed });
    });
    paint(this.choice.speed);
    return h("div", { class: "fa-field" }, h("div", { class: "fa-label fa-between" }, h("span", { t: "speed" }), value),
      h("div", { class: "fa-ends fa-num" }, h("span", {}, low.toFixed(1)), slider, h("span", {}, high.toFixed(1))));
  }

  replyField({ languages }) {
    const select = h("select", { class: "fa-select", id: "fa-reply", onchange: () => this.change({ reply: select.value }) },
      h("option", { value: "same", selected: this.choice.reply === "same", t: "reply_mine" }),
      ...languages.map((code) => h("option", { value: code, selected: code === this.choice.reply }, languageName(code))));
    return field("reply_language", "fa-reply", select);
  }

  personaField({ personas }) {
    const prompt = () => (this.choice.persona === OWN ? this.choice.instructions : personas.find(({ id }) => id === this.choice.persona)?.prompts[currentLang()] ?? "");
    const text = h("textarea", { class: "fa-area", tLabel: "persona_text", tTitle: "persona_hint", rows: 2, maxLength: 1000 });
    text.value = prompt();
    const select = h("select", { class: "fa-select", id: "fa-persona" },
      ...personas.map(({ id }) => h("option", { value: id, t: `persona_${id}` })), h("option", { value: OWN, t: "persona_own" }));
    select.value = this.choice.persona;
    select.addEventListener("change", () => {
      this.change({ persona: select.value });
      text.value = prompt();
      if (select.value === OWN) text.focus();
    });
    text.addEventListener("change", () => {
      this.change({ persona: OWN, instructions: text.value });
      select.value = OWN;
    });
    return h("div", { class: "fa-field" }, h("label", { for: "fa-persona", t: "persona" }), select, text);
  }
}

const languageName = (code) => lookup(`language_${code}`) ?? code;

function voiceName({ name, gender }) {
  const word = lookup(`gender_${gender}`);
  return word ? `${name} · ${word}` : name;
}

function field(key, id, ...controls) {
  return h("div", { class: "fa-field" }, h("label", { for: id, t: key }), ...controls);
}

function range(key, min, max, step, value, onInput) {
  const slider = h("input", { type: "range", class: "fa-range", tLabel: key === "strength" ? "style_strength" : key });
  Object.assign(slider, { min, max, step, value });
  const paint = () => slider.style.setProperty("--at", `${((slider.value - min) / (max - min)) * 100}%`);
  slider.addEventListener("input", () => {
    paint();
    onInput(Number(slider.value));
  });
  paint();
  return slider;
}
