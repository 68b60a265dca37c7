import { h, iconButton } from "../dom.js";
import { ChatServer } from "./chatserver.js";
import { Choices } from "./choices.js";
import { Engines } from "./engines.js";

/** How it answers, and who does the work. */
export class Panel {
  /** `onChange` and `onPreview` are those of Choices; `onStandIn(sentence)` is that of Engines. */
  constructor({ onChange, onPreview, onClose, onStandIn }) {
    this.choices = new Choices({ ids: "fa", onChange, onPreview });
    this.engines = new Engines(onStandIn);
    this.chatServer = new ChatServer();
    this.element = h("aside", { class: "fa-panel", tLabel: "settings" },
      h("header", { class: "fa-panel-head" }, h("h2", { t: "settings" }), iconButton("close", "dismiss", onClose)),
      this.choices.element, this.engines.element, this.chatServer.element);
  }

  /** What there is to choose from, as `/v1/page` says. */
  fill(page) {
    this.choices.fill(page);
    this.engines.allow(page.switching);
    this.chatServer.allow(page.switching);
  }

  /** The choices as fields of the protocol's session. */
  session() {
    return this.choices.session();
  }
}
