import { h } from "../dom.js";
import { Exchange } from "./exchange.js";

const KEPT = 60; // exchanges on the page: a conversation may go on for hours

/** The conversation in writing, the newest last. */
export class Transcript {
  constructor() {
    this.exchanges = [];
    this.items = new Map(); // the person's item id -> exchange
    this.replies = new Map(); // response id -> exchange
    this.list = h("div", { class: "fa-exchanges" });
    this.element = h("div", { class: "fa-script", tLabel: "live_transcript", role: "log", "aria-live": "off", tabindex: "0" }, this.list);
  }

  add() {
    const exchange = new Exchange();
    this.exchanges.push(exchange);
    this.list.append(exchange.element);
    if (this.exchanges.length > KEPT) this.remove(this.exchanges[0]);
    return exchange;
  }

  remove(exchange) {
    this.exchanges = this.exchanges.filter((other) => other !== exchange);
    exchange.element.remove();
    for (const ids of [this.items, this.replies]) for (const [id, other] of ids) if (other === exchange) ids.delete(id);
  }

  clear() {
    [...this.exchanges].forEach((exchange) => this.remove(exchange));
  }

  /** The exchange that the person's words `item` belong to. */
  of(item) {
    if (!this.items.has(item)) this.items.set(item, this.add());
    return this.items.get(item);
  }

  /** The person's words `item` were not all: nothing of it ever was. */
  forget(item) {
    if (this.items.has(item)) this.remove(this.items.get(item));
  }

  /** The exchange that the reply `id`, which begins now, belongs to. */
  reply(id) {
    const last = this.exchanges.at(-1);
    const exchange = last && !last.answered ? last : this.add();
    exchange.answered = true;
    this.replies.set(id, exchange);
    return exchange;
  }

  /** A sound that was not taken for a turn, whatever it seemed to be before: a mark where the conversation is. */
  ignored(item, reason, words) {
    const taken = this.items.get(item);
    if (taken && !taken.answered) this.remove(taken);
    (this.exchanges.at(-1) ?? this.add()).ignored(reason, words);
  }
}
