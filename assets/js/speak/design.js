import { h, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { ask } from "./api.js";
import { button, field, languageName, slider, whyNot } from "./parts.js";
import { nameFields } from "./edit.js";
import { Sheet } from "./sheet.js";
import { listenButton } from "./voicecard.js";

const MOST = 3; // voices in a blend
const FULL = 100;

/** A sheet where two or three voices become one, with the melody of another. `onSaved(id)` when it is kept. */
export function designVoice(place, studio, chosen, onSaved) {
  const presets = studio.voices.filter(({ kind }) => kind === "preset");
  const first = presets.find(({ id }) => id === chosen) ?? presets[0];
  const second = presets.find(({ id, languages: [own] }) => id !== first.id && own === first.languages[0]) ?? presets[1];
  const mix = [{ id: first.id, weight: 50 }, { id: second.id, weight: 50 }];
  const sheet = new Sheet(place, { title: "speak_design" });
  const list = h("div", { class: "sp-mix" });
  const bar = h("div", { class: "sp-mix-bar", "aria-hidden": "true" });
  const add = button("fresh", "speak_design_add", () => {
    mix.push({ id: presets.find(({ id }) => !mix.some((one) => one.id === id)).id, weight: 50 });
    draw();
  }, { class: "fa-btn is-small is-quiet" });
  const melodyWhy = whyNot("prosody", studio.controls.prosody);
  const melody = h("select", { class: "fa-select", id: "sp-melody", disabled: melodyWhy !== null }, h("option", { value: "", t: "speak_melody_own" }), ...options(presets));
  const fields = nameFields();

  const total = () => mix.reduce((sum, { weight }) => sum + weight, 0);
  const share = ({ weight }) => (total() ? weight / total() : 1 / mix.length);
  const blend = () => {
    const rounded = mix.map((one) => Math.round(1000 * share(one)) / 1000);
    // What rounding lost goes to the largest share: a share of nothing must not fall below nothing.
    rounded[rounded.indexOf(Math.max(...rounded))] += 1 - rounded.reduce((sum, part) => sum + part, 0);
    return mix.map(({ id }, i) => [id, rounded[i]]);
  };
  const body = () => ({ blend: blend(), ...(melody.value ? { prosody: melody.value } : {}) });
  const languages = () => presets.find(({ id }) => id === mix[0].id).languages;

  function paint() {
    list.querySelectorAll("output").forEach((output, i) => { output.textContent = t("percent", { n: Math.round(100 * share(mix[i])) }); });
    bar.replaceChildren(...mix.map((one) => h("span", { style: `flex-grow: ${share(one)}` })));
  }

  function row(one, i) {
    const select = h("select", { class: "fa-select", tLabel: ["speak_design_voice", { n: i + 1 }], onchange: () => { one.id = select.value; draw(); } },
      ...options(presets.filter(({ id }) => id === one.id || !mix.some((other) => other.id === id))));
    select.value = one.id;
    const weight = slider({ key: "speak_share", min: 0, max: FULL, step: 1, value: one.weight, show: () => "", onInput: (value) => { one.weight = value; paint(); } });
    return h("div", { class: "sp-mix-row" }, select, weight,
      mix.length > 2 && iconButton("close", "speak_design_remove", () => { mix.splice(i, 1); draw(); }, { class: "fa-iconbtn is-small" }));
  }

  function draw() {
    list.replaceChildren(...mix.map(row));
    add.hidden = mix.length >= Math.min(MOST, presets.length);
    paint();
  }

  draw();
  sheet.show(0, [
    h("p", { class: "fa-quiet", t: "speak_design_lead" }), bar, list, add,
    field("speak_melody", "sp-melody", melody, ...(melodyWhy ? [melodyWhy] : [])),
    h("div", { class: "sp-hear" }, listenButton({ asked: () => ({ voice: mix[0].id, ...body() }), languages, notice: sheet.notice }, { class: "sp-play is-large" }), h("span", { t: "speak_design_hear" })),
    ...fields.elements,
  ], [h("button", { type: "button", class: "fa-btn is-primary", t: "speak_keep_voice", onclick: () => sheet.notice.over(async () => {
    const { id } = await ask("v1/voices", { method: "POST", json: { ...fields.values(), ...body() } });
    await onSaved(id);
    sheet.close();
  }) })]);
}

function options(voices) {
  const groups = new Map();
  for (const voice of voices) groups.set(voice.languages[0], [...(groups.get(voice.languages[0]) ?? []), voice]);
  return [...groups].map(([code, list]) => h("optgroup", { label: languageName(code) }, ...list.map(({ id, name }) => h("option", { value: id }, name))));
}
