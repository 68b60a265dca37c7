// What the server says of its engines, for whatever part of the page asks: who does which job now, and which weights
// are being fetched.

/** Something that changes: `announce` says what it is now, `on` calls back now, where it is known, and at each change. */
function news() {
  const listeners = new Set();
  let now;
  return {
    announce(next) {
      now = next;
      listeners.forEach((listener) => listener(now));
    },
    on(listener) {
      listeners.add(listener);
      if (now !== undefined) listener(now);
    },
  };
}

/** The engines, as `GET /v1/engines` lists them. */
export const { announce: announceEngines, on: onEngines } = news();

/** {sentence, share}, or null while nothing is fetched. */
export const { announce: announceFetching, on: onFetching } = news();
