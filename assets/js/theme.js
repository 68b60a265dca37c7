// Light or dark: the system's choice until the person makes one. Gradio's own parts follow the class on body.
const STORE = "funaudio.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();
let last = null;

const stored = () => localStorage.getItem(STORE);

/** Whether the page is dark now. */
export const isDark = () => document.body.classList.contains("dark");

/** Calls back after each change between light and dark. */
export const onTheme = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

function apply() {
  const choice = stored();
  const dark = choice ? choice === "dark" : system.matches;
  for (const element of [document.documentElement, document.body]) element.classList.toggle("dark", dark);
  if (dark === last) return;
  last = dark;
  listeners.forEach((listener) => listener(dark));
}

/** Switches, and remembers the choice unless it is the system's own. */
export function toggleTheme() {
  const dark = !isDark();
  if (dark === system.matches) localStorage.removeItem(STORE);
  else localStorage.setItem(STORE, dark ? "dark" : "light");
  apply();
}

/** Applies the choice, follows the system, and undoes what Gradio sets while it starts. */
export function startTheme() {
  apply();
  system.addEventListener("change", apply);
  new MutationObserver(() => isDark() !== last && apply()).observe(document.body, { attributeFilter: ["class"] });
}
