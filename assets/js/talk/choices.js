import { h, iconButton } from "../dom.js";
import { currentLang, lookup, onLang, t } from "../i18n.js";

const STORE = "funaudio.talk";
const OWN = "own";
const DEFAULTS = { voice: "", style: "auto", strength: 1, speed: 1, reply: "same", persona: "friend", instructions: "" };

// One set of choices for all tabs, remembered.
const choice = { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORE) ?? "{}") };
const shown = new Set();

/** How it answers: voice, style, speed, language, persona. Every tab that shows the choices shows the same ones. */
export class Choices {
  /** `ids` begins the ids of the fields. `onChange(session)` gets the session fields of the protocol; `onPreview(voice)` is asked to let a voice be heard. */
  constructor({ ids, onChange, onPreview }) {
    this.ids = ids;
    this.onChange = onChange;
    this.onPreview = onPreview;
    this.page = null;
    this.element = h("div", { class: "fa-fields" }, h("p", { class: "fa-quiet", t: "voice_loading" }));
    shown.add(this);
    onLang(() => {
      this.draw();
      this.onChange(this.session());
    });
  }

  /** What there is to choose from, as `/v1/page` says. */
  fill(page) {
    this.page = page;
    if (!page.voices.some(({ id }) => id === choice.voice)) choice.voice = "";
    if (!page.styles.includes(choice.style)) choice.style = DEFAULTS.style;
    this.draw();
  }

  draw() {
    const { page } = this;
    if (!page) return;
    this.element.replaceChildren(this.voiceField(page), this.styleField(page), this.speedField(page), this.replyField(page), this.personaField(page));
  }

  change(part) {
    Object.assign(choice, part);
    localStorage.setItem(STORE, JSON.stringify(choice));
    for (const choices of shown) {
      if (choices !== this) choices.draw();
      choices.onChange(choices.session());
    }
  }

  /** The choices as fields of the protocol's session. */
  session() {
    const { voice, style, strength, speed, reply, persona, instructions } = choice;
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
    const select = h("select", { class: "fa-select", id: `${this.ids}-voice`, onchange: () => this.change({ voice: select.value }) },
      h("option", { value: "", selected: !choice.voice, t: "voice_auto" }),
      ...own.map(([code, list]) => h("optgroup", { label: languageName(code) }, ...list.map((voice) =>
        h("option", { value: voice.id, selected: voice.id === choice.voice }, voiceName(voice))))));
    return field("voice", `${this.ids}-voice`, h("div", { class: "fa-row" }, select,
      this.onPreview && iconButton("play", "voice_play", () => this.onPreview(select.value), { class: "fa-iconbtn is-framed" })));
  }

  styleField({ styles }) {
    const strength = range("strength", 0, 1, 0.05, choice.strength, (value) => this.change({ strength: value }));
    const slider = h("div", { class: "fa-ends fa-strength" }, h("span", { t: "strength_low" }), strength, h("span", { t: "strength_high" }));
    const paint = () => {
      const plain = choice.style === "neutral";
      strength.disabled = plain;
      slider.title = plain ? t("strength_why_not") : t("style_strength");
      slider.classList.toggle("is-off", plain);
    };
    const chips = styles.map((style) => h("label", { class: "fa-chip", tTitle: style === "auto" ? "style_auto_why" : null },
      h("input", { type: "radio", name: `${this.ids}-style`, class: "fa-sr", value: style, checked: style === choice.style,
        onchange: () => { this.change({ style }); paint(); } }), h("span", { t: `style_${style}` })));
    paint();
    return h("fieldset", { class: "fa-field" }, h("legend", { class: "fa-label", t: "style" }), h("div", { class: "fa-chips" }, ...chips), slider);
  }

  speedField({ speeds: [low, high] }) {
    const value = h("output", { class: "fa-num fa-quiet" });
    const paint = (speed) => { value.textContent = t("speed_value", { n: speed.toFixed(2).replace(/0$/, "") }); };
    const slider = range("speed", low, high, 0.05, choice.speed, (speed) => {
      paint(speed);
      this.change({ speed });
    });
    paint(choice.speed);
    return h("div", { class: "fa-field" }, h("div", { class: "fa-label fa-between" }, h("span", { t: "speed" }), value),
      h("div", { class: "fa-ends fa-num" }, h("span", {}, low.toFixed(1)), slider, h("span", {}, high.toFixed(1))));
  }

  replyField({ languages }) {
    const select = h("select", { class: "fa-select", id: `${this.ids}-reply`, onchange: () => this.change({ reply: select.value }) },
      h("option", { value: "same", selected: choice.reply === "same", t: "reply_mine" }),
      ...languages.map((code) => h("option", { value: code, selected: code === choice.reply }, languageName(code))));
    return field("reply_language", `${this.ids}-reply`, select);
  }

  personaField({ personas }) {
    const prompt = () => (choice.persona === OWN ? choice.instructions : personas.find(({ id }) => id === choice.persona)?.prompts[currentLang()] ?? "");
    const text = h("textarea", { class: "fa-area", tLabel: "persona_text", tTitle: "persona_hint", rows: 2, maxLength: 1000 });
    text.value = prompt();
    const select = h("select", { class: "fa-select", id: `${this.ids}-persona` },
      ...personas.map(({ id }) => h("option", { value: id, t: `persona_${id}` })), h("option", { value: OWN, t: "persona_own" }));
    select.value = choice.persona;
    select.addEventListener("change", () => {
      this.change({ persona: select.value });
      text.value = prompt();
      if (select.value === OWN) text.focus();
    });
    text.addEventListener("change", () => {
      this.change({ persona: OWN, instructions: text.value });
      select.value = OWN;
    });
    return h("div", { class: "fa-field" }, h("label", { for: `${this.ids}-persona`, t: "persona" }), select, text);
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
