import { h } from "../dom.js";
import { label } from "../i18n.js";
import { icon } from "../icons.js";

const HOLD_S = 0.4; // a press longer than this sends when it is let go; a shorter one listens until the next
const TYPING = "input, textarea, select";
const OTHER_CONTROLS = `${TYPING}, button, a, summary, [role=slider], [role=tab][aria-selected=false]`;

/** What can be done while it goes on: mute, push to talk, stop; and the keys. It decides nothing; `on` is told what was done. */
export class Controls {
  /** `on`: {mute(), hold(yes), press(), release(), stop(), running()}; `orb` keeps the keyboard's focus after it was clicked. */
  constructor(on, orb) {
    this.on = on;
    this.orb = orb;
    this.pressed = 0; // when the talk key or button went down, in ms
    this.mute = toggle("live_mute", () => on.mute(), h("kbd", {}, "M"));
    this.hold = toggle("live_push", () => on.hold());
    this.stop = h("button", { type: "button", class: "fa-btn fa-live-stop", hidden: true, tTitle: "live_stop_hint", onclick: () => on.stop() },
      icon("stop", 18), h("span", { t: "talk_stop" }), h("kbd", {}, "Esc"));
    this.caption = h("span", {});
    this.talk = h("button", { type: "button", class: "fa-talk-button", hidden: true }, icon("mic", 22), this.caption);
    this.element = h("div", { class: "fa-live-controls", hidden: true }, this.talk,
      h("div", { class: "fa-live-row" }, this.mute, this.hold, this.stop));
    this.talk.addEventListener("pointerdown", (event) => event.button === 0 && this.press());
    this.talk.addEventListener("pointerup", () => this.release());
    this.talk.addEventListener("pointercancel", () => this.release());
    this.talk.addEventListener("contextmenu", (event) => event.preventDefault()); // a long press on a phone
    this.talk.addEventListener("click", (event) => event.detail === 0 && this.press()); // Enter, or assistive technology
  }

  /** Keys for the whole tab, while `place` is the one that is shown. */
  listen(place) {
    const ours = (event) => place.offsetParent !== null && this.on.running() && !(event.ctrlKey || event.metaKey || event.altKey);
    const talks = ({ key, target }) => key === " " && !this.talk.hidden && (target === this.talk || target === this.orb || !target.closest?.(OTHER_CONTROLS));
    document.addEventListener("keydown", (event) => {
      if (!ours(event)) return;
      if (event.key === "Escape") this.on.stop();
      else if (event.key.toLowerCase() === "m" && !event.repeat && !event.target.closest?.(TYPING)) this.on.mute();
      else if (talks(event)) {
        event.preventDefault();
        if (!event.repeat) this.press();
      }
    });
    document.addEventListener("keyup", (event) => {
      if (!ours(event) || !talks(event)) return;
      event.preventDefault();
      this.release();
    });
  }

  press() {
    this.pressed = performance.now();
    this.on.press();
  }

  release() {
    if (this.talking && performance.now() - this.pressed > HOLD_S * 1000) this.on.release();
  }

  /** `running`, `muted`, `push` (push to talk), `talking` (into it), `speaking` (it does). */
  show({ running, muted, push, talking, speaking }) {
    this.talking = talking;
    this.element.hidden = !running;
    for (const [button, is] of [[this.mute, muted], [this.hold, push]]) button.setAttribute("aria-pressed", String(is));
    this.mute.hidden = push; // then nothing is heard but what is said into the button
    label(this.mute, "title", muted ? "live_unmute_hint" : "live_mute_hint");
    this.stop.hidden = !speaking;
    this.talk.hidden = !push;
    this.talk.classList.toggle("is-talking", talking);
    label(this.caption, "text", talking ? "talk_release" : "talk_hold");
  }
}

function toggle(key, onclick, hint) {
  return h("button", { type: "button", class: "fa-btn fa-toggle", "aria-pressed": "false", onclick }, h("span", { t: key }), hint);
}
