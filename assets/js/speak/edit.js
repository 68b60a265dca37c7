import { h } from "../dom.js";
import { icon } from "../icons.js";
import { ask, keepFile, send } from "./api.js";
import { button, field } from "./parts.js";
import { Sheet } from "./sheet.js";
import { likeness, listenButton } from "./voicecard.js";

const MOST_NAME = 60;
const MOST_TAGS = 120;

/** What may be typed as a voice's name and tags, and how it is sent; `first` has the cursor begin there. */
export function nameFields({ name = "", tags = [], first = false } = {}) {
  const title = h("input", { class: "fa-input", id: "sp-name", type: "text", maxLength: MOST_NAME, value: name, "data-first": first, tPlaceholder: "speak_name_hint" });
  const labels = h("input", { class: "fa-input", id: "sp-tags", type: "text", maxLength: MOST_TAGS, value: tags.join(", "), tPlaceholder: "speak_tags_hint" });
  return {
    elements: [field("speak_name", "sp-name", title), field("speak_tags", "sp-tags", labels)],
    values: () => ({ name: title.value.trim(), tags: labels.value.split(/[,，、;；]/).map((tag) => tag.trim()).filter(Boolean) }),
  };
}

/** A sheet for one saved voice: its name and tags, to hear it, take it home or delete it. `onChange()` when it has changed. */
export function editVoice(place, voice, onChange) {
  const sheet = new Sheet(place, { title: "speak_edit_voice" });
  const fields = nameFields(voice);
  const change = (work) => sheet.notice.over(async () => {
    await work();
    await onChange();
    sheet.close();
  });
  const remove = button("trash", "speak_delete_voice", () => {
    if (remove.classList.contains("is-sure")) change(() => ask(`v1/voices/${voice.id}`, { method: "DELETE" }));
    else {
      remove.classList.add("is-sure");
      remove.lastChild.replaceWith(h("span", { t: "speak_delete_sure" }));
    }
  }, { class: "fa-btn sp-delete" });
  const keep = button("save", "speak_export", () => sheet.notice.over(async () => {
    keepFile(await (await send(`v1/voices/${voice.id}/export`)).blob(), `${voice.name}.voice`);
  }));
  const facts = h("p", { class: "sp-facts" }, h("span", { class: "fa-tag", t: `speak_kind_${voice.kind}` }),
    typeof voice.similarity === "number" && likeness(voice.similarity),
    voice.kind === "cloned" && h("span", { class: "sp-fact" }, icon("shield", 16), h("span", { t: "speak_watermarked" })));
  sheet.show(0, [
    h("div", { class: "sp-edit-head" }, listenButton({ asked: () => ({ voice: voice.id }), languages: () => voice.languages, notice: sheet.notice }, { class: "sp-play is-large" }), facts),
    ...fields.elements,
  ], [remove, keep, h("button", { type: "button", class: "fa-btn is-primary", t: "speak_keep", onclick: () => change(() => ask(`v1/voices/${voice.id}`, { method: "PATCH", json: fields.values() })) })]);
}
