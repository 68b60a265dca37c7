import { staticUrl } from "./urls.js";

// The label table (assets/i18n.json) has both languages, so that switching needs no reload and loses nothing.
const STORE = "funaudio.lang";
const listeners = new Set();
let table = {};
// As the page's head has told Gradio. Not the document's own lang: Gradio writes its name for the language there.
let lang = navigator.language.startsWith("zh") ? "zh" : "en";
document.documentElement.lang = lang;

/** Fetches the table. Call once, before anything is drawn. */
export async function loadLabels() {
  table = await (await fetch(staticUrl("i18n.json"))).json();
  return table;
}

/** The language now: en or zh. */
export const currentLang = () => lang;

/** Every language of the table, with its own name for itself. */
export const languages = () => Object.entries(table).map(([code, words]) => ({ code, name: words.lang_name }));

/** The label for a key, {blanks} filled from values; undefined where the table has no such key. */
export function lookup(key, values = {}) {
  const text = table[lang]?.[key] ?? table.en?.[key];
  return text?.replace(/\{(\w+)\}/g, (blank, name) => String(values[name] ?? blank));
}

/** As lookup, but a missing key shows itself, so that it is noticed. */
export const t = (key, values) => lookup(key, values) ?? key;

/** Switches every label on the page, and remembers the choice. */
export function setLang(code) {
  if (!(code in table) || code === lang) return;
  const before = lang;
  lang = code;
  document.documentElement.lang = code;
  localStorage.setItem(STORE, code);
  document.querySelectorAll("[data-t]").forEach(paint);
  relabelGradio(before);
  listeners.forEach((listener) => listener(code));
}

/** Calls back after each switch of language; returns what ends it. */
export const onLang = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Binds a label to an element: `where` is "text" or an attribute name; `key` a key or [key, values]. */
export function label(element, where, key) {
  const bound = element.dataset.t ? JSON.parse(element.dataset.t) : {};
  bound[where] = Array.isArray(key) ? key : [key];
  element.dataset.t = JSON.stringify(bound);
  paint(element);
}

function paint(element) {
  for (const [where, [key, values]] of Object.entries(JSON.parse(element.dataset.t))) {
    if (where === "text") element.textContent = t(key, values);
    else element.setAttribute(where, t(key, values));
  }
}

// Gradio translates its own parts once, when it starts. After a switch they are relabelled here: whole texts that are
// known in the language before, in buttons and labels; and the tabs, again whenever Gradio draws them anew.
const GRADIO_TEXT = ".overflow-dropdown button, button, label, [data-testid=block-info], [data-testid=block-label]";
const tabs = new MutationObserver(relabelTabs);

function relabelTabs() {
  for (const tab of document.querySelectorAll("[role=tab][data-tab-id]")) {
    const text = [...tab.childNodes].find((node) => node.nodeType === Node.TEXT_NODE);
    const name = lookup(`tab_${tab.dataset.tabId}`);
    if (text && name && text.data !== name) text.data = name;
  }
}

function relabelGradio(before) {
  const meant = new Map();
  for (const [key, text] of Object.entries(table[before])) if (!meant.has(text)) meant.set(text, table[lang][key]);
  for (const element of document.querySelectorAll(GRADIO_TEXT)) {
    if (element.matches("[role=tab]") || element.closest(".fa")) continue;
    for (const node of element.childNodes) {
      const text = node.nodeType === Node.TEXT_NODE && meant.get(node.data.trim());
      if (text) node.data = text;
    }
  }
  relabelTabs();
  const bar = document.querySelector("#fa-tabs > .tab-wrapper");
  if (bar) tabs.observe(bar, { childList: true, subtree: true });
}
