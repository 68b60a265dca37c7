import { output } from "../audio/player.js";
import { h, iconButton } from "../dom.js";
import { label } from "../i18n.js";
import { icon } from "../icons.js";
import { clock, Wave } from "../wave.js";

const HOLD_S = 0.4; // a press longer than this sends when it is let go; a shorter one records until the next
const WARN_S = 15; // the time left is shown when it is less than this
const SOUND_TYPES = /^(audio|video)\/|^application\/(ogg|octet-stream)$|^$/;
const OTHER_CONTROLS = "button, a, input, select, textarea, summary, [role=slider], [role=tab][aria-selected=false]";

/** Where the person speaks: the talk button, the text box, the file. It decides nothing; `on` is told what was done. */
export class Dock {
  /** `on`: {begin, finish, cancel, stop, text(words), file(file)}. */
  constructor(on) {
    this.on = on;
    this.state = "idle";
    this.limits = { max_upload_bytes: Infinity, max_turn_seconds: Infinity, max_text_chars: Infinity };
    this.level = h("canvas", { class: "fa-level", "aria-hidden": "true" });
    this.meter = new Wave(this.level, { label: "level_label" });
    this.timer = h("span", { class: "fa-num fa-timer" });
    this.caption = h("span", { class: "fa-caption" });
    this.hint = h("p", { class: "fa-hint fa-quiet" });
    this.glyph = h("span", { class: "fa-glyph" }, icon("mic", 22));
    this.talk = h("button", { type: "button", class: "fa-talk-button" }, this.glyph, this.level, this.caption, this.timer);
    this.cancel = iconButton("close", "talk_cancel", () => on.cancel(), { hidden: true, class: "fa-iconbtn fa-cancel" });
    this.stop = h("button", { type: "button", class: "fa-btn fa-stop", hidden: true, onclick: () => on.stop() },
      icon("stop", 18), h("span", { t: "talk_stop" }));
    this.note = h("div", { class: "fa-note", role: "status", hidden: true });
    this.status = h("div", { class: "fa-status", role: "status" });
    this.input = h("input", { class: "fa-type", type: "text", tPlaceholder: "type_placeholder", tLabel: "type_placeholder", autocomplete: "off", enterkeyhint: "send" });
    this.picker = h("input", { type: "file", accept: "audio/*,video/*", hidden: true, onchange: () => this.pick(this.picker.files) });
    this.send = iconButton("send", "send", undefined, { type: "submit", class: "fa-iconbtn fa-send", disabled: true });
    const form = h("form", { class: "fa-typerow", onsubmit: (event) => this.submit(event) },
      iconButton("upload", "choose_file", () => this.picker.click()), this.picker, this.input, this.send);
    this.element = h("div", { class: "fa-dock" }, this.status, this.note,
      h("div", { class: "fa-talkrow" }, this.cancel, this.talk, this.stop), form, this.hint);
    this.input.addEventListener("input", () => { this.send.disabled = !this.input.value.trim(); });
    this.talk.addEventListener("pointerdown", (event) => event.button === 0 && this.press());
    this.talk.addEventListener("pointerup", () => this.release());
    this.talk.addEventListener("pointercancel", () => this.release());
    this.talk.addEventListener("contextmenu", (event) => event.preventDefault()); // a long press on a phone
    this.talk.addEventListener("click", (event) => event.detail === 0 && this.press()); // Enter, or assistive technology
    this.show("idle");
  }

  /** Keys for the whole tab, while `place` is the one that is shown. */
  listen(place) {
    const shown = () => place.offsetParent !== null;
    const elsewhere = (target) => target !== this.talk && target.closest?.(OTHER_CONTROLS);
    document.addEventListener("keydown", (event) => {
      if (!shown() || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") {
        if (this.state === "recording" || this.state === "opening") this.on.cancel();
        else this.on.stop();
      } else if (event.key === " " && !elsewhere(event.target)) {
        event.preventDefault();
        if (!event.repeat) this.press();
      } else if (event.key === "/" && !event.target.closest?.("input, textarea, select")) {
        event.preventDefault();
        this.input.focus();
      }
    });
    document.addEventListener("keyup", (event) => {
      if (event.key !== " " || !shown() || elsewhere(event.target)) return;
      event.preventDefault();
      this.release();
    });
    this.takeDrops(place);
  }

  press() {
    output();
    if (this.state === "recording") this.on.finish();
    else if (this.state !== "opening") this.on.begin();
  }

  release() {
    if (this.state === "recording" && this.seconds > HOLD_S) this.on.finish();
  }

  submit(event) {
    event.preventDefault();
    const words = this.input.value.trim();
    if (!words) return;
    if (words.length > this.limits.max_text_chars) {
      this.say(["text_too_long", { limit: this.limits.max_text_chars }]);
      return;
    }
    output();
    this.input.value = "";
    this.send.disabled = true;
    this.on.text(words);
  }

  /** One file, checked here so that a wrong one costs no upload. */
  pick(files) {
    const [file] = files;
    if (!file) return;
    const megabytes = Math.floor(this.limits.max_upload_bytes / 2 ** 20);
    if (!file.size) this.say(["file_empty", { name: file.name }]);
    else if (file.size > this.limits.max_upload_bytes) this.say(["file_over", { name: file.name, megabytes }]);
    else if (!SOUND_TYPES.test(file.type)) this.say(["file_not_sound", { name: file.name }]);
    else {
      output();
      this.say(files.length > 1 ? ["file_one", { name: file.name }] : null);
      this.on.file(file);
    }
    this.picker.value = "";
  }

  takeDrops(place) {
    const target = h("div", { class: "fa-drop", hidden: true }, icon("upload", 32), h("p", { t: "drop_here" }));
    place.append(target);
    let inside = 0;
    const isFile = (event) => event.dataTransfer?.types.includes("Files");
    place.addEventListener("dragenter", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      inside += 1;
      target.hidden = false;
    });
    place.addEventListener("dragover", (event) => isFile(event) && event.preventDefault());
    place.addEventListener("dragleave", () => {
      inside = Math.max(0, inside - 1);
      target.hidden = inside === 0;
    });
    place.addEventListener("drop", (event) => {
      event.preventDefault();
      inside = 0;
      target.hidden = true;
      this.pick(event.dataTransfer.files);
    });
  }

  /** "idle", "opening" (the microphone), "recording" or "busy" (it works or speaks). */
  show(state) {
    this.state = state;
    const recording = state === "recording";
    this.element.dataset.state = state;
    this.seconds = 0;
    this.cancel.hidden = this.level.hidden = this.timer.hidden = !recording;
    this.stop.hidden = state !== "busy";
    this.glyph.replaceChildren(icon(recording ? "send" : "mic", 22));
    label(this.caption, "text", { idle: "talk_hold", opening: "talk_wait", recording: "talk_release", busy: "talk_break" }[state]);
    label(this.hint, "text", recording ? "keys_recording" : "keys_hint");
    if (!recording) this.meter.clearLevels();
  }

  /** The recording goes on: its loudness 0 to 1 and its length. */
  heard(level, seconds) {
    this.seconds = seconds;
    this.meter.pushLevel(level);
    const left = this.limits.max_turn_seconds - seconds;
    this.timer.textContent = clock(left < WARN_S ? Math.max(0, left) : seconds);
    this.timer.classList.toggle("is-ending", left < WARN_S);
  }

  /** One sentence above the button, until the next; null takes it away. */
  say(sentence, action) {
    this.note.hidden = !sentence;
    if (!sentence) return;
    const text = h("span", { class: "fa-grow" });
    if (Array.isArray(sentence)) label(text, "text", sentence);
    else text.textContent = sentence;
    const button = action && h("button", { type: "button", class: "fa-btn", t: action.key, onclick: action.run });
    this.note.replaceChildren(icon("alert", 20), text, ...(button ? [button] : []),
      iconButton("close", "dismiss", () => this.say(null), { class: "fa-iconbtn is-small" }));
  }

  /** What the program is busy with (a label key and values), with a bar where it is known how far; null for nothing. */
  progress(sentence, share) {
    this.status.replaceChildren();
    if (!sentence) return;
    this.status.append(h("span", { t: sentence }));
    if (share === undefined) return;
    const percent = Math.round(share * 100);
    this.status.append(h("span", { class: "fa-progress", role: "progressbar", "aria-valuenow": String(percent), "aria-valuemin": "0", "aria-valuemax": "100", tLabel: sentence },
      h("span", { style: `width:${percent}%` })), h("span", { class: "fa-num" }, `${percent} %`));
  }
}
