import { announceEngines } from "./engines.js";
import { routeUrl } from "./urls.js";

const RETRY_MS = 2000;

/** What `/v1/page` says there is to choose from, asked again until the server answers. The engines in it are announced. */
export async function pageData() {
  for (;;) {
    const page = await fetch(routeUrl("v1/page")).then((answer) => (answer.ok ? answer.json() : null), () => null);
    if (page) {
      announceEngines(page.engines);
      return page;
    }
    await new Promise((again) => { setTimeout(again, RETRY_MS); });
  }
}
