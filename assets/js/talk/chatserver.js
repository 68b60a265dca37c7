import { h } from "../dom.js";
import { label, lookup } from "../i18n.js";
import { routeUrl } from "../urls.js";

/**
 * "Use another language model": the address, model and key of a server, tried as soon as they are given. The key goes to
 * our own server and does not come back: this page only knows whether there is one.
 */
export class ChatServer {
  constructor() {
    this.url = h("input", { type: "url", id: "fa-chat-url", class: "fa-input", placeholder: "http://127.0.0.1:11434/v1", required: true, spellcheck: false });
    this.model = h("input", { type: "text", id: "fa-chat-model", class: "fa-input", tPlaceholder: "chat_server_first", spellcheck: false, autocomplete: "off" });
    this.key = h("input", { type: "password", id: "fa-chat-key", class: "fa-input", tPlaceholder: "chat_server_no_key", autocomplete: "off" });
    this.button = h("button", { type: "submit", class: "fa-btn", t: "chat_server_connect" });
    this.status = h("p", { class: "fa-quiet", role: "status", "aria-live": "polite" });
    const form = h("form", { class: "fa-chat-server", onsubmit: (event) => this.connect(event) },
      h("p", { class: "fa-quiet", t: "chat_server_hint" }),
      row("chat_server_url", this.url), row("chat_server_model", this.model), row("chat_server_key", this.key), this.button, this.status);
    this.element = h("details", { class: "fa-engine", hidden: true }, h("summary", {}, h("span", { t: "chat_server" })), form);
  }

  /** Shows itself where this page may set the server for everybody. */
  async allow(allowed) {
    this.element.hidden = !allowed;
    if (!allowed || this.url.value) return;
    const set = await fetch(routeUrl("v1/chat-server")).then((answer) => (answer.ok ? answer.json() : null), () => null);
    if (set) this.show(set);
  }

  show({ url, model, has_key: hasKey }) {
    this.url.value = url;
    this.model.value = model;
    this.key.value = "";
    label(this.key, "placeholder", hasKey ? "chat_server_has_key" : "chat_server_no_key");
  }

  async connect(event) {
    event.preventDefault();
    this.button.disabled = true;
    this.say("chat_server_trying");
    const body = JSON.stringify({ url: this.url.value, model: this.model.value, key: this.key.value });
    const answer = await fetch(routeUrl("v1/chat-server"), { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => null);
    const told = (await answer?.json().catch(() => null)) ?? {};
    this.button.disabled = false;
    if (answer?.ok) {
      this.show(told);
      this.say(["chat_server_found", told.found]);
    } else this.say(lookup(told.error?.code) ? [told.error.code, told.error.values] : "error_unknown", "fa-warn");
  }

  say(key, kind = "") {
    this.status.replaceChildren(h("span", { t: key, class: kind }));
  }
}

const row = (key, input) => h("div", { class: "fa-field" }, h("label", { for: input.id, t: key }), input);
