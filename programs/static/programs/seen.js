// The page that stands in for the exercises says by itself when somebody of the practice has seen
// the answers. Without this script it says so when it is opened again.

const EVERY_MS = 20000;

async function look(part) {
  try {
    const response = await fetch(part.dataset.seenFrom, { credentials: "same-origin" });
    // Nothing to say any more: the program goes on, or somebody else is signed in.
    if (response.status !== 200 || response.redirected) return;
    const words = await response.text();
    // Said again only when it says something new, so that nobody is read the same twice.
    if (part.dataset.said !== words) {
      part.dataset.said = words;
      part.innerHTML = words;
    }
  } catch {
    // No line: what stands there stays true.
  }
}

setInterval(() => {
  const part = document.querySelector("[data-seen-from]");
  if (part && document.visibilityState === "visible") look(part);
}, EVERY_MS);
