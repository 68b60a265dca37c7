import { icon } from "./icons.js";
import { label } from "./i18n.js";

/**
 * An element. Strings among the children become text nodes, never markup, so that text from models, files and
 * people cannot be anything but text. `t`, `tTitle`, `tLabel`, `tPlaceholder` are label keys: they follow the language.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") element.className = value;
    else if (key === "t") label(element, "text", value);
    else if (key === "tTitle") label(element, "title", value);
    else if (key === "tLabel") label(element, "aria-label", value);
    else if (key === "tPlaceholder") label(element, "placeholder", value);
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A quiet icon button; its label is both its name and its tooltip. */
export function iconButton(name, key, onclick, props = {}) {
  return h("button", { type: "button", class: "fa-iconbtn", tLabel: key, tTitle: key, onclick, ...props }, icon(name));
}
