// One question at a time. A finger's touch on an answer leads on by itself; the keyboard, whose
// arrows choose on their way, goes on with the button. Without this script it is one plain page.

const form = document.querySelector("form[data-check-in]");
const part = (name) => form.querySelector(`[data-part="${name}"]`);
// Long enough to see what was chosen, short enough not to wait for.
const LOOK_MS = 180;

if (form && !form.querySelector(".sb-errors")) start();

function start() {
  const cards = [...form.querySelectorAll('[data-part="card"]')];
  const [count, missing, save, next, back] = ["count", "missing", "save", "next", "back"].map(part);
  const intro = form.querySelectorAll(".ci-intro");
  let now = 0;
  let waiting = 0;

  form.classList.add("ci-form--cards");
  for (const shown of [count, next, back]) shown.hidden = false;
  for (const card of cards) card.querySelector("legend, label")?.setAttribute("tabindex", "-1");

  const value = (name) => form.querySelector(`input[name="${name}"]:checked`)?.value;

  function worthAsking(card) {
    const conditions = (card.dataset.when ?? "").split(" ").filter(Boolean);
    return conditions.length === 0 || conditions.some((condition) => {
      const [, name, sign, other] = condition.match(/^(\w+)([=>])(\w+)$/);
      if (sign === "=") return value(name) === other;
      const than = /^\d+$/.test(other) ? other : value(other);
      return Number(value(name) ?? -1) > Number(than ?? 10);
    });
  }

  const asked = () => cards.filter(worthAsking);
  const answered = (card) => card.querySelector("input:checked") !== null;

  function show(card, { focus = true } = {}) {
    const list = asked();
    now = Math.max(0, list.indexOf(card));
    for (const one of cards) one.classList.toggle("is-now", one === list[now]);
    const last = now === list.length - 1;
    count.textContent = count.dataset.words
      .replace("{number}", now + 1)
      .replace("{total}", list.length);
    missing.hidden = true;
    for (const words of intro) words.hidden = now > 0;
    back.hidden = now === 0;
    next.hidden = last;
    save.hidden = !last;
    if (focus) {
      list[now].querySelector("legend, label")?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }

  function go(step) {
    const list = asked();
    show(list[Math.min(Math.max(now + step, 0), list.length - 1)]);
  }

  form.addEventListener("click", (event) => {
    const touched = event.target;
    if (!(touched instanceof HTMLInputElement) || touched.type !== "radio" || event.detail === 0) return;
    if (!touched.closest(".is-now") || next.hidden) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => go(1), LOOK_MS);
  });
  next.addEventListener("click", () => {
    clearTimeout(waiting);
    const card = asked()[now];
    if ("required" in card.dataset && !answered(card)) {
      missing.textContent = card.dataset.missing;
      missing.hidden = false;
      return;
    }
    go(1);
  });
  back.addEventListener("click", () => {
    clearTimeout(waiting);
    go(-1);
  });
  form.addEventListener("keydown", (event) => {
    // Enter on an answer would send the form half answered.
    if (event.key === "Enter" && event.target.type === "radio" && !next.hidden) {
      event.preventDefault();
      next.click();
    }
  });

  const open = asked().find((card) => "required" in card.dataset && !answered(card));
  show(open ?? asked().at(-1), { focus: false });
}
