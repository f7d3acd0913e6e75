// Keeps the screen on while somebody exercises, where the browser can.

export function awakeOf() {
  let wanted = false;
  let lock = null;

  async function take() {
    if (!wanted || lock || document.hidden || !navigator.wakeLock) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      lock.addEventListener("release", () => {
        lock = null;
      });
      if (!wanted) lock.release();
    } catch {
      // A device that saves its battery says no; the screen then behaves as always.
      lock = null;
    }
  }
  document.addEventListener("visibilitychange", take);
  return {
    on() {
      wanted = true;
      take();
    },
    off() {
      wanted = false;
      lock?.release();
    },
  };
}
