import { decodeFile } from "../audio/player.js";
import { peaksOf } from "../audio/pcm.js";
import { h } from "../dom.js";
import { currentLang, onLang } from "../i18n.js";
import { icon } from "../icons.js";
import { staticUrl } from "../urls.js";
import { Wave } from "../wave.js";

const CLIP_PEAKS = 80;
const SHOWN = 3;

/** What the page shows before anything was said: what to do, and example clips. `onClip(name, bytes)` takes one. */
export function emptyState(onClip, onFailed) {
  const clips = h("div", { class: "fa-clips" });
  const examples = h("div", { class: "fa-examples", hidden: true }, h("p", { class: "fa-quiet", t: "empty_clips" }), clips);
  const element = h("div", { class: "fa-empty" }, h("h2", { t: "empty_title" }), h("p", { class: "fa-lead", t: "empty_lead" }), examples);

  const waves = [];
  let known = [];

  async function addClip({ id, file }) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const wave = new Wave(canvas);
    waves.push(wave);
    const bytes = fetch(staticUrl(`clips/${file}`)).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.arrayBuffer();
    });
    const take = () => bytes.then((buffer) => onClip(file, new Uint8Array(buffer)), onFailed);
    clips.append(h("button", { type: "button", class: "fa-clip fa-card", onclick: take },
      h("span", { class: "fa-clip-head" }, icon("play", 18), h("span", { t: `clip_${id}` })), canvas));
    const samples = await bytes.then((buffer) => decodeFile(buffer.slice(0)), () => null);
    if (samples) wave.setData({ duration: 1, peaks: peaksOf(samples, CLIP_PEAKS) });
  }

  function show() {
    const own = known.filter(({ file }) => file.startsWith(currentLang()));
    waves.splice(0).forEach((wave) => wave.destroy());
    clips.replaceChildren();
    (own.length ? own : known).slice(0, SHOWN).forEach(addClip);
    examples.hidden = !known.length;
  }
  onLang(show);

  return {
    element,
    /** `list`: {id, file}: named by the label `clip_<id>`, its file's name begins with its language. The page's own language is shown. */
    setClips(list) {
      known = list;
      show();
    },
  };
}
