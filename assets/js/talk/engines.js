import { h } from "../dom.js";
import { onEngines } from "../engines.js";
import { lookup } from "../i18n.js";
import { routeUrl } from "../urls.js";

/** Each job's engine, why it was chosen, what would be better; and another one, where that may be chosen here. */
export class Engines {
  /** `onStandIn(sentence)` is told, once, that an embedded engine had to take a job over. */
  constructor(onStandIn) {
    this.element = h("div", { class: "fa-engines" });
    this.engines = [];
    this.allowed = false; // whether this page may switch
    this.loading = null; // { job, name } that is being switched to
    this.failure = null; // { job, sentence } of the last attempt
    this.open = new Set(); // jobs whose details are open
    this.told = new Set(); // jobs that an embedded engine has taken over, as the person has been told
    onEngines((engines) => {
      this.engines = engines;
      for (const { job, why } of engines) {
        if (why[0] !== "why_stands_in" || this.told.has(job)) continue;
        this.told.add(job);
        this.open.add(job);
        onStandIn(why);
      }
      this.draw();
    });
  }

  allow(allowed) {
    this.allowed = allowed;
    this.draw();
  }

  draw() {
    const held = this.element.contains(document.activeElement) ? document.activeElement.id : "";
    this.element.replaceChildren(...this.engines.map((engine) => this.job(engine)));
    if (held) document.getElementById(held)?.focus();
  }

  job(engine) {
    const { job, name, device, why, missing, better, licence, loaded, capabilities } = engine;
    const state = loaded ? "engine_ready" : "engine_waiting";
    const details = h("details", { class: "fa-engine", "data-job": job, open: this.open.has(job) },
      h("summary", { tTitle: state },
        h("span", { class: "fa-engine-job fa-quiet" }, h("span", { class: `fa-ready${loaded ? " is-on" : ""}` }), h("span", { t: `job_${job}` }), ` · ${deviceName(device)}`),
        h("span", { class: "fa-why", t: "engine_why" }), h("span", { class: "fa-engine-name" }, name)),
      h("p", { t: why }),
      missing && h("p", { t: missing }),
      better && h("p", { class: "fa-better", t: better }),
      ...this.choice(engine),
      ...Object.entries(capabilities).filter(([, able]) => able !== true).map(([what, reason]) => cannot(`cannot_${job}_${what}`, reason)),
      h("p", { class: "fa-quiet" }, h("span", { t: state }), licence && h("span", {}, " · ", h("span", { t: ["engine_licence", { licence }] }))));
    details.addEventListener("toggle", () => (details.open ? this.open.add(job) : this.open.delete(job)));
    return details;
  }

  /** The engines that this job can be given to; those that it cannot, with the reason. */
  choice({ job, engine, options }) {
    if (options.length < 2) return [];
    const busy = this.loading?.job === job;
    const taken = busy ? this.loading.name : engine;
    const select = h("select", { class: "fa-select", id: `fa-engine-${job}`, disabled: !this.allowed || this.loading !== null,
      onchange: () => this.take(job, select.value) },
    ...options.map(({ name, lacks }) => h("option", { value: name, disabled: lacks !== null && name !== engine, selected: name === taken }, engineName(name))));
    const failed = this.failure?.job === job ? this.failure.sentence : null;
    return [
      h("p", { class: "fa-engine-choice" }, h("label", { for: select.id, class: "fa-quiet", t: "engine_switch" }), select),
      h("p", { class: "fa-engine-status", role: "status", "aria-live": "polite" },
        busy && h("span", { t: ["engine_switching", { name: engineName(this.loading.name) }] }),
        failed && (Array.isArray(failed) ? h("span", { class: "fa-warn", t: failed }) : h("span", { class: "fa-warn" }, failed))),
      !this.allowed && h("p", { class: "fa-quiet", t: "switching_off" }),
      ...options.filter(({ name, lacks }) => lacks && name !== engine).map(({ name, lacks }) =>
        h("p", { class: "fa-quiet fa-engine-lacks" }, h("b", {}, engineName(name)), ": ", h("span", { t: lacks }))),
    ].filter(Boolean);
  }

  async take(job, name) {
    this.loading = { job, name };
    this.failure = null;
    this.draw();
    this.failure = await ask(job, name);
    this.loading = null;
    this.draw(); // which engine it is now, every page hears through its socket
  }
}

/** Asks for the switch; what went wrong, or null. */
async function ask(job, name) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(routeUrl("v1/engines"), { method: "POST", headers, body: JSON.stringify({ job, name }) }).catch(() => null);
  if (answer?.ok) return null;
  const { error } = (await answer?.json().catch(() => null)) ?? {};
  const sentence = lookup(error?.code) ? [error.code, error.values] : error?.message ?? ["error_unknown"];
  return { job, sentence };
}

/** Why an engine cannot do a thing: in the person's language where the table has it, else as the engine says it. */
const cannot = (key, reason) => (lookup(key) ? h("p", { class: "fa-quiet", t: key }) : h("p", { class: "fa-quiet" }, reason));

const deviceName = (device) => lookup(`device_${device.toLowerCase()}`) ?? device;

const engineName = (name) => lookup(`engine_name_${name}`) ?? name;
