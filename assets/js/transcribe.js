import { h, iconButton } from "./dom.js";
import { onEngines, onFetching } from "./engines.js";
import { label, lookup } from "./i18n.js";
import { icon } from "./icons.js";
import { staticUrl } from "./urls.js";
import { clock } from "./wave.js";
import { Intake, upload } from "./transcribe/intake.js";
import { Summary } from "./transcribe/summary.js";
import { languageName, Paragraphs, SegmentTable } from "./transcribe/text.js";
import { Timeline } from "./transcribe/timeline.js";

// The Transcribe tab. The server sends one view of the whole recording again and again (webui/ui/transcribe.py);
// what is new in it is added here.
const EXAMPLES = 3;
const WORKING = ["sending", "waiting", "reading", "loading", "listening"];

class Transcriber {
  constructor(place) {
    this.place = place;
    this.id = null;
    this.past = new Set(); // jobs that were replaced: their last word may come late
    this.count = 0;
    this.segments = [];
    this.stage = "empty";
    this.problems = h("div", { class: "tr-problems", role: "alert" });
    this.intake = new Intake({ onFile: () => this.problems.replaceChildren(), onProblem: (key, values) => this.problem(key, values) });
    this.language = h("select", { class: "fa-select", id: "tr-language" });
    this.digits = h("input", { type: "checkbox", checked: true });
    this.start = h("button", { type: "button", class: "fa-btn is-primary tr-start", onclick: () => this.begin() }, h("span", { t: "transcribe_start" }));
    this.cancel = h("button", { type: "button", class: "fa-btn tr-cancel", hidden: true, onclick: () => this.stop() }, icon("stop", 18), h("span", { t: "transcribe_cancel" }));
    this.stageWord = h("span", { class: "tr-stage fa-num" });
    this.left = h("span", { class: "fa-quiet fa-num" });
    this.bar = h("span");
    this.progress = h("div", { class: "fa-progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", tLabel: "transcribe_progress" }, this.bar);
    this.status = h("div", { class: "tr-status", "aria-live": "polite", hidden: true }, h("div", { class: "tr-status-words" }, this.stageWord, this.left), this.progress);
    this.paragraphs = new Paragraphs();
    this.table = new SegmentTable();
    this.timeline = new Timeline({ onTime: (seconds, playing) => this.light(seconds, playing), onProblem: (key) => this.problem(key) });
    this.summary = new Summary({ onExport: (format) => this.place.send("download", { format }) });
    this.nothing = h("p", { class: "fa-quiet tr-nothing", hidden: true });
    this.switches = ["text", "segments"].map((name) => h("button", { type: "button", class: "fa-chip", "aria-pressed": String(name === "text"), t: `transcribe_${name}`, onclick: () => this.choose(name) }));
    this.table.element.hidden = true;
    this.result = h("div", { class: "tr-result", hidden: true }, this.timeline.element,
      h("div", { class: "tr-columns" },
        h("section", { class: "fa-card tr-reading", tLabel: "transcribe_text" },
          h("div", { class: "fa-chips tr-switch", role: "group", tLabel: "transcribe_show_as" }, ...this.switches),
          this.nothing, this.paragraphs.element, this.table.element),
        this.summary.element));
    this.examples = h("div", { class: "tr-examples" });
    this.empty = h("div", { class: "tr-empty" }, h("p", { t: "transcribe_lead" }), this.examples);
    this.offerExamples();
    place.append(h("div", { class: "fa-page tr-page" },
      h("section", { class: "fa-card tr-in", tLabel: "transcribe_recording_in" }, this.intake.element,
        h("div", { class: "tr-options" },
          h("div", { class: "fa-field tr-language" }, h("label", { for: "tr-language", t: "transcribe_spoken" }), this.language),
          h("label", { class: "tr-check" }, this.digits, h("span", { t: "transcribe_digits" })),
          h("div", { class: "tr-go" }, this.start, this.cancel)),
        this.status),
      this.problems, this.empty, this.result));
    place.addEventListener("click", (event) => this.clicked(event));
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("fa:view", () => this.view(place.view()));
    document.addEventListener("fa:file", ({ detail }) => save(detail));
    if (place.view) this.view(place.view());
    this.offerLanguages([]);
    this.fetching = null;
    onFetching((fetching) => {
      this.fetching = fetching;
      if (this.stage === "loading") this.show({ stage: "loading" });
    });
    onEngines((engines) => this.offerLanguages(engines.find(({ job }) => job === "recognizer")?.languages ?? []));
  }

  /** Takes in what the server says now. */
  view(view) {
    if (!view?.stage) return;
    if (view.limits) this.intake.setLimits(view.limits);
    if (view.stage === "empty" || this.past.has(view.id)) return;
    if (view.id !== this.id) this.fresh(view.id);
    if (this.stopNext && view.id !== this.before) this.stop();
    for (const line of view.segments.slice(this.count)) this.add(JSON.parse(line));
    this.count = view.segments.length;
    this.timeline.show(view.wave, view.source, this.segments);
    this.summary.show(view, this.count > 0);
    // A view that was under way when the person stopped it does not start it again.
    if (view.id === this.stopped && WORKING.includes(view.stage)) view = { ...view, stage: "stopped", left: null };
    this.result.hidden = !view.wave;
    this.empty.hidden = true;
    this.show(view);
    const silent = view.stage === "done" && !this.count;
    this.nothing.hidden = !silent && !(WORKING.includes(view.stage) && !this.count);
    label(this.nothing, "text", silent ? "transcribe_no_words" : "transcribe_soon");
    const said = JSON.stringify([view.problem, view.error]);
    if (said === this.said) return;
    this.said = said;
    this.problems.replaceChildren();
    for (const { key, values, message } of [view.problem, view.error].filter(Boolean)) this.problem(key, values, message);
  }

  /** What the recognizer of now understands; the choice is kept where it can be. */
  offerLanguages(languages) {
    const { value } = this.language;
    const names = ["auto", ...languages].map((code) => {
      const name = languageName(code);
      const option = h("option", { value: code }, name.textContent);
      if (name.dataset.t) label(option, "text", JSON.parse(name.dataset.t).text);
      return option;
    });
    this.language.replaceChildren(...names);
    this.language.value = languages.includes(value) ? value : "auto";
  }

  /** Clips of our own to try it with; each is taken as if it had been dropped. */
  async offerExamples() {
    const answer = await fetch(staticUrl("clips/clips.json"));
    if (!answer.ok) return;
    for (const { file } of (await answer.json()).slice(0, EXAMPLES)) {
      const take = async () => {
        const clip = await fetch(staticUrl(`clips/${file}`));
        if (!clip.ok) {
          this.problem("clip_failed");
          return;
        }
        this.intake.hold(new File([await clip.blob()], file));
        this.begin();
      };
      this.examples.append(h("button", { type: "button", class: "fa-btn", onclick: take }, icon("play", 16), h("span", { t: `clip_${file.replace(/\.\w+$/, "")}` })));
    }
  }

  fresh(id) {
    this.past.add(this.id);
    this.id = id;
    this.count = 0;
    this.segments = [];
    for (const part of [this.paragraphs, this.table, this.timeline, this.summary]) part.clear();
  }

  add(segment) {
    this.segments.push(segment);
    for (const part of [this.paragraphs, this.table, this.summary]) part.add(segment);
  }

  /** The stage in words, how far it is, and which buttons there are. */
  show({ stage, done = 0, left, wave, part = 0 }) {
    this.stage = stage;
    const working = WORKING.includes(stage);
    const total = wave?.complete ? wave.duration : 0;
    const fetching = stage === "loading" ? this.fetching : null;
    const share = fetching ? fetching.share : stage === "sending" ? part : stage === "listening" && total ? done / total : working ? null : stage === "done" ? 1 : total ? done / total : 0;
    this.status.hidden = false;
    this.place.dataset.stage = stage;
    label(this.stageWord, "text", fetching?.sentence ?? [`transcribe_stage_${stage}`, { done: clock(done), total: clock(total), percent: Math.round(100 * part) }]);
    const beside = fetching ? ["percent", { n: Math.round(100 * share) }] : left === null || left === undefined ? null : ["transcribe_left", { time: clock(left) }];
    this.left.hidden = beside === null;
    if (beside) label(this.left, "text", beside);
    this.progress.classList.toggle("is-open", share === null);
    this.bar.style.width = share === null ? "" : `${100 * Math.min(1, share)}%`;
    if (share === null) this.progress.removeAttribute("aria-valuenow");
    else this.progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    this.progress.hidden = !working;
    this.start.hidden = working;
    this.cancel.hidden = !working;
    this.language.disabled = this.digits.disabled = working;
    this.intake.setBusy(working);
  }

  async begin() {
    const { file } = this.intake;
    this.problems.replaceChildren();
    this.said = "";
    if (!file) {
      this.problem("no_audio");
      return;
    }
    this.sending = new AbortController();
    try {
      this.show({ stage: "sending" });
      const path = await upload(file, (part) => this.show({ stage: "sending", part }), this.sending.signal);
      this.before = this.id;
      this.show({ stage: "waiting" });
      this.place.send("submit", { path, name: file.name, language: this.language.value, itn: this.digits.checked });
    } catch (error) {
      this.show({ stage: "stopped" });
      if (error.name !== "AbortError") this.problem(error.message);
    }
  }

  stop() {
    if (this.stage === "sending") {
      this.sending.abort();
      return;
    }
    this.stopNext = this.id === this.before; // the server has not yet said which job this is
    this.stopped = this.id;
    this.show({ stage: "stopped" });
    this.place.send("stop");
  }

  choose(name) {
    for (const [i, one] of ["text", "segments"].entries()) this.switches[i].setAttribute("aria-pressed", String(one === name));
    this.paragraphs.element.hidden = name !== "text";
    this.table.element.hidden = name !== "segments";
  }

  light(seconds, playing) {
    const span = this.paragraphs.light(seconds);
    if (span && playing) this.paragraphs.keepInSight(span);
  }

  clicked({ target }) {
    const at = target.closest("[data-start]");
    if (at) this.timeline.seek(Number(at.dataset.start), true);
  }

  key(event) {
    if (event.key === "Escape" && WORKING.includes(this.stage)) this.stop();
    else if (event.key === " " && !event.target.closest("button, input, select, summary")) this.timeline.toggle();
    else return;
    event.preventDefault();
  }

  problem(key, values, message) {
    const words = lookup(key) ? h("span", { class: "fa-grow", t: [key, values] }) : h("span", { class: "fa-grow" }, message ?? key);
    const note = h("div", { class: "fa-note" }, icon("alert"), words, iconButton("close", "dismiss", () => note.remove(), { class: "fa-iconbtn is-small" }));
    this.problems.append(note);
  }
}

/** Hands the person a file that the server wrote. */
function save({ name, type, text }) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Fills the tab's place. */
export function mount(place) {
  new Transcriber(place);
}
