// The board by keyboard, and answers in place. Everything here is a link or a form without it.

const table = document.querySelector("[data-board]");
const says = document.querySelector("[data-board-says]");
const rows = () => [...table.querySelectorAll("[data-row]")];

// Where the keys speak: the row that has the focus, or last had it.
let place = null;

function take(row, { focus = true } = {}) {
  if (!row) return;
  for (const other of rows()) other.tabIndex = -1;
  row.tabIndex = 0;
  place = row;
  if (focus) {
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}

function move(by) {
  const all = rows();
  const now = all.indexOf(place);
  const started = table.contains(document.activeElement) || now >= 0;
  take(all[started ? Math.min(Math.max(now + by, 0), all.length - 1) : 0]);
}

async function answer(button) {
  const row = button.closest("[data-row]");
  const form = document.getElementById("board-act");
  if (row.getAttribute("aria-busy") === "true") return;
  row.setAttribute("aria-busy", "true");
  // Whoever goes through them one by one is at the next before the answer is there.
  const moves = button.dataset.do === "accept";
  const all = rows();
  const next = all[all.indexOf(row) + 1];
  if (moves && next) take(next);
  try {
    const response = await fetch(button.formAction, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Live": "1" },
    });
    const kind = response.headers.get("Content-Type") || "";
    if (response.redirected || !kind.startsWith("text/html")) throw new Error(response.status);
    if (!response.ok && response.status !== 409) throw new Error(response.status);
    put(row, await response.text());
  } catch {
    // The page itself says what is wrong, better than anything here could.
    form.action = button.formAction;
    form.submit();
  }
}

function put(row, html) {
  const body = document.createElement("tbody");
  body.innerHTML = html;
  const fresh = body.querySelector("[data-row]");
  if (!fresh) throw new Error("no row");
  const stood = place === row;
  row.replaceWith(fresh);
  if (stood) take(fresh);
  says.textContent = `${fresh.querySelector("th a").textContent}: ${fresh.dataset.said || ""}`;
}

// What was accepted last may be taken back from wherever one is by now; else what the line above
// the board offers.
let last = null;
const offered = document.querySelector('.po-undo [data-do="undo"]');

function press(what) {
  const wanted = what === "undo" && last ? document.getElementById(last) : place;
  const control = wanted?.querySelector(`[data-do="${what}"]`) || (what === "undo" && offered);
  if (!control) return false;
  if (what === "accept") last = wanted.id;
  control.click();
  return true;
}

const KEYS = {
  j: () => (move(1), true),
  k: () => (move(-1), true),
  a: () => press("accept"),
  c: () => press("change"),
  d: () => press("decline"),
  s: () => press("snooze"),
  u: () => press("undo"),
  "/": () => {
    document.getElementById("board-q").focus();
    return true;
  },
  "?": () => {
    const help = document.querySelector("[data-board-help]");
    help.open = true;
    help.scrollIntoView({ block: "nearest" });
    help.querySelector("summary").focus({ preventScroll: true });
    return true;
  },
};

if (table || offered) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    if (target.closest("input, select, textarea, [contenteditable], dialog")) return;
    if (event.key === "Enter" && target.matches?.("[data-row]")) {
      event.preventDefault();
      target.querySelector('[data-do="open"]').click();
      return;
    }
    // A board that the answer has emptied still takes it back.
    const does = table || event.key === "u" ? KEYS[event.key] : null;
    if (does && does()) event.preventDefault();
  });
}

if (table) {
  const all = rows();
  const named = location.hash && document.getElementById(location.hash.slice(1));
  const from = all.includes(named) ? named : all[0];
  take(from, { focus: from === named });
  if (from !== named) place = null;
  if (all[0] && !place) all[0].tabIndex = 0;

  table.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row && row !== place) take(row, { focus: false });
  });

  table.addEventListener("click", (event) => {
    const button = event.target.closest('button[data-do="accept"], button[data-do="undo"]');
    if (!button) return;
    event.preventDefault();
    last = button.closest("[data-row]").id;
    answer(button);
  });
}
