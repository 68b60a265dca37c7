import { h, iconButton } from "../dom.js";
import { lookup } from "../i18n.js";
import { icon } from "../icons.js";
import { languageName } from "./parts.js";
import { Preview } from "./preview.js";

/** A button that lets a voice be heard. */
export function listenButton(options, props = {}) {
  const element = h("button", { type: "button", class: "sp-play", tLabel: "voice_play", tTitle: "voice_play", ...props }, icon("play", 18), icon("pause", 18));
  new Preview(element, options);
  return element;
}

/** How alike a voice is to the one it was made after, 0 to 1, as a bar and a number. */
export function likeness(similarity) {
  const percent = Math.round(100 * Math.max(0, similarity));
  return h("span", { class: "sp-likeness", tTitle: "speak_likeness_why" },
    h("span", { class: "fa-confidence", style: "--mark: var(--accent)" }, h("span", { style: `width:${percent}%` })), h("span", { t: ["speak_likeness", { percent }] }));
}

/** One voice of the grid: heard, chosen, and, if it is one's own, changed. */
export function voiceCard(voice, { chosen, notice, onChoose, onEdit }) {
  const { id, name, languages, gender, kind, tags = [], similarity, saved } = voice;
  const about = [languageName(languages[0]), lookup(kind === "preset" ? `gender_${gender}` : `speak_kind_${kind}`)].filter(Boolean).join(" · ");
  const play = listenButton({ asked: () => ({ voice: id }), languages: () => languages, notice });
  const radio = h("input", { type: "radio", name: "sp-voice", class: "fa-sr", value: id, checked: chosen, onchange: () => onChoose(voice) });
  return h("div", { class: "sp-voice", "data-voice": id },
    play,
    h("label", {}, radio, h("span", { class: "sp-voice-name" }, name), h("span", { class: "sp-voice-about" }, about),
      tags.length > 0 && h("span", { class: "sp-voice-tags" }, ...tags.map((tag) => h("span", { class: "fa-tag" }, tag))),
      typeof similarity === "number" && likeness(similarity)),
    saved && iconButton("edit", "speak_edit_voice", () => onEdit(voice), { class: "fa-iconbtn is-small sp-voice-edit" }));
}
