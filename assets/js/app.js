import { h } from "./dom.js";
import { currentLang, label, languages, loadLabels, onLang, setLang } from "./i18n.js";
import { icon } from "./icons.js";
import { isDark, onTheme, startTheme, toggleTheme } from "./theme.js";
import { staticUrl } from "./urls.js";

// A tab names its place with data-mount="<name>"; the module that fills it is loaded when the place appears.
const MOUNTS = {
  header: async () => mountHeader,
  talk: async () => (await import("./talk/talk.js")).mount,
  live: async () => (await import("./live/live.js")).mount,
  transcribe: async () => (await import("./transcribe.js")).mount,
  speak: async () => (await import("./speak.js")).mount,
};

function mountHeader(place) {
  const theme = h("button", { type: "button", onclick: toggleTheme });
  const paintTheme = () => {
    theme.replaceChildren(icon(isDark() ? "sun" : "moon"));
    for (const where of ["aria-label", "title"]) label(theme, where, isDark() ? "theme_light" : "theme_dark");
  };
  const other = () => languages().find(({ code }) => code !== currentLang());
  const lang = h("button", { type: "button", onclick: () => setLang(other().code), tTitle: "switch_language" });
  const paintLang = () => {
    lang.textContent = other().name;
    lang.lang = other().code;
  };
  onTheme(paintTheme);
  onLang(paintLang);
  paintTheme();
  paintLang();
  const mark = h("img", { src: staticUrl("icons/favicon.svg"), alt: "", width: 26, height: 26 });
  place.append(
    h("div", { class: "fa-brand" }, mark, h("span", { t: "product" })),
    h("div", { class: "fa-tools" }, lang, theme),
  );
}

async function fill(place) {
  place.dataset.filled = "yes";
  (await MOUNTS[place.dataset.mount]())(place);
}

await loadLabels();
startTheme();
const look = () => document.querySelectorAll("[data-mount]:not([data-filled])").forEach(fill);
new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
look();
