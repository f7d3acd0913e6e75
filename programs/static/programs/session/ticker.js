// Seconds that pass while somebody exercises. A device that slept does not count the night.

const EVERY_MS = 250;
const LONGEST_MS = 2000;

/** Calls `passed(seconds)` a few times a second between `start` and `stop`. */
export function tickerOf(passed) {
  let timer = 0;
  let last = 0;
  const tick = () => {
    const now = performance.now();
    const since = Math.min(now - last, LONGEST_MS);
    last = now;
    passed(since / 1000);
  };
  return {
    start() {
      if (timer) return;
      last = performance.now();
      timer = setInterval(tick, EVERY_MS);
    },
    stop() {
      clearInterval(timer);
      timer = 0;
    },
  };
}
