import { h } from "../dom.js";
import { ask } from "./api.js";
import { ClipStep } from "./clip.js";
import { ConsentStep } from "./consent.js";
import { nameFields } from "./edit.js";
import { MatchStep } from "./match.js";
import { Sheet } from "./sheet.js";

/**
 * A voice from a clip, step by step. `way` "clone": a clip, the consent of whose voice it is, a name. `way` "match": a
 * clip, the blend that comes nearest to it, a name. `onSaved(id)` when it is kept.
 */
export function voiceFromClip(place, studio, way, onSaved) {
  const middle = way === "match" ? "match" : studio.consent ? "consent" : null;
  const names = ["speak_step_clip", middle && `speak_step_${middle}`, "speak_step_name"].filter(Boolean);
  let clip = null;
  let step = null; // of the middle
  let made = {}; // what the voice is saved with, besides its name
  const sheet = new Sheet(place, { title: `speak_${way}`, steps: names, onClose: () => {
    first.close();
    step?.close();
  } });
  const fields = nameFields({ first: true });
  const next = (key, onclick, disabled = false) => h("button", { type: "button", class: "fa-btn is-primary", t: key, disabled, onclick });
  const back = (onclick) => h("button", { type: "button", class: "fa-btn", t: "speak_back", onclick });

  const onwards = next("speak_next", () => (middle ? second() : last()), true);
  const first = new ClipStep({ limits: studio.limits, words: way === "clone", notice: sheet.notice, onReady: (ready) => {
    clip = ready;
    step?.close();
    step = null;
    onwards.disabled = !ready;
  } });
  const begin = () => sheet.show(0, first.elements, [onwards]);

  async function second() {
    await first.saved;
    const on = next("speak_next", last, true);
    if (middle === "match") {
      step = new MatchStep({ clip, studio, notice: sheet.notice, onMatched: (blend, similarity) => {
        made = { blend, similarity };
        on.disabled = false;
      } });
    } else step = new ConsentStep({ clip, notice: sheet.notice, onVerdict: (ok) => { on.disabled = !ok; } });
    sheet.show(1, step.elements, [back(() => {
      step.close();
      begin();
    }), on]);
  }

  function last() {
    if (way === "clone") made = { clip: clip.id };
    const keep = next("speak_keep_voice", () => sheet.notice.over(async () => {
      const { id } = await ask("v1/voices", { method: "POST", json: { ...fields.values(), ...made } });
      await onSaved(id);
      sheet.close();
    }));
    sheet.show(names.length - 1, [h("p", { class: "fa-quiet", t: way === "clone" ? "speak_name_lead_clone" : "speak_name_lead_match" }), ...fields.elements], [back(middle ? second : begin), keep]);
  }

  begin();
}
