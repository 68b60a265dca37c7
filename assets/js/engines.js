// Who does which job now, as the server says it: whatever part of the page needs that asks here.
const listeners = new Set();
let engines = [];

/** The server has said it. */
export function announceEngines(now) {
  engines = now;
  listeners.forEach((listener) => listener(engines));
}

/** Calls back now, where it is known, and whenever it changes. */
export function onEngines(listener) {
  listeners.add(listener);
  if (engines.length) listener(engines);
}
