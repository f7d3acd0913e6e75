// Puts on the page where somebody is. Every word comes from the page itself.

import { cueAt, cueWithin, isWork } from "./plan.js";

// What stands at the thumb may take so much of the screen, and no more.
const TALL = 0.45;

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** Minutes and seconds, as 4:05. */
export function clockOf(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function screenOf(root, items) {
  const one = (selector) => root.querySelector(selector);
  const out = (name) => one(`[data-out="${name}"]`);
  const part = (name) => one(`[data-part="${name}"]`);
  const beads = [...root.querySelectorAll(".se-beads > li")];
  const word = (name, values = {}) =>
    fill(root.dataset[`word${name[0].toUpperCase()}${name.slice(1)}`] ?? "", values);

  // Only what changes is written: nobody's reader starts over because of a second.
  function write(name, text) {
    const place = out(name);
    if (place && place.textContent !== text) place.textContent = text;
  }

  function stage(name) {
    root.dataset.stage = name;
    document.body.classList.toggle("se-playing", name === "play");
    part("top").hidden = part("deck").hidden = name !== "play";
    part("start").hidden = name !== "intro" && name !== "list";
  }

  function end(kind) {
    for (const place of root.querySelectorAll("[data-end]")) {
      place.hidden = place.dataset.end !== kind;
    }
    one('[data-do="return"]').hidden = kind === "list";
  }

  function marks(state) {
    for (const [number, bead] of beads.entries()) {
      const how = state.how[number];
      const done = how === "done" || how === "easier";
      bead.className =
        number === state.index ? "is-now" : done ? "is-done" : how ? "is-skipped" : "";
    }
  }

  /** Another exercise, or another form of it, comes on. */
  function exercise(state) {
    for (const [number, item] of items.entries()) {
      item.el.classList.toggle("is-now", number === state.index);
      item.el.classList.toggle("is-easier", state.easier[number]);
      const more = item.el.querySelector("details");
      if (more) more.open = state.easier[number];
    }
    const item = items[state.index];
    const easier = one('[data-do="easier"]');
    easier.hidden = !item.easier;
    easier.setAttribute("aria-pressed", String(Boolean(state.easier[state.index])));
    easier.textContent = word(state.easier[state.index] ? "usual" : "easier");
    write("number", word("exercise", { n: state.index + 1, total: items.length }));
    marks(state);
    const deck = part("deck");
    deck.classList.toggle("is-tall", deck.offsetHeight > innerHeight * TALL);
  }

  /** The second that is now: `where` as in plan.js, `left` seconds until everything is done. */
  function second(state, form, where, left) {
    const { step } = where;
    write("left", word("left", { time: clockOf(left) }));
    write("phase", state.paused ? word("paused") : phaseOf(step));
    write("set", setOf(step, form.dose));
    const counted = step.kind === "move" || step.kind === "in" || step.kind === "out";
    const many = counted && step.reps > 1;
    write(
      "count",
      many
        ? word("reps", { n: step.rep, total: step.reps })
        : String(Math.max(1, Math.ceil(where.left))),
    );
    write("pause", word(state.paused ? "go" : "pause"));
    const last = state.index === items.length - 1;
    write("next", word(step.kind === "setup" ? "begin" : last ? "last" : "next"));
    part("line").style.transform = `scaleX(${Math.min(1, where.into / step.s)})`;
    one(".se-deck").dataset.kind = step.kind;
    cue(form, where);
    breath(form, step, state.paused);
  }

  const phaseOf = (step) => word(step.kind === "setup" ? "ready" : step.kind);

  function setOf(step, dose) {
    const parts = [];
    if (step.sets > 1) parts.push(word("set", { n: step.set, total: step.sets }));
    if (step.side && dose.sides === "in-turns") parts.push(word("eachSide"));
    else if (step.side) parts.push(word(step.side === 1 ? "firstSide" : "otherSide"));
    return parts.join(" · ");
  }

  function cue(form, where) {
    const { step, index, into } = where;
    const setUp = step.kind === "setup" && form.setUp;
    const long = step.kind === "hold" && step.reps === 1;
    const count = form.cues.length;
    const now = long ? cueWithin(step, into, count) : cueAt(form.plan, index, count);
    const resting = step.kind === "rest";
    form.el.classList.toggle("is-set-up", Boolean(setUp));
    form.el.classList.toggle("is-resting", resting);
    for (const [number, place] of form.cues.entries()) {
      place.classList.toggle("is-now", !setUp && number === now);
    }
  }

  function breath(form, step, paused) {
    const pacer = part("pacer");
    pacer.hidden = !form.dose.breathing || !isWork(step);
    form.el.classList.toggle("is-breathing", !pacer.hidden);
    if (pacer.hidden) return;
    pacer.style.setProperty("--se-breath", `${step.s}s`);
    pacer.classList.toggle("is-in", step.kind === "in" && !paused);
  }

  /** What a step is called when it begins; "" when the one before says it already. */
  function heard(form, step) {
    const set = step.sets > 1 ? word("set", { n: step.set, total: step.sets }) : "";
    if (!isWork(step)) return step.kind === "setup" ? "" : phaseOf(step);
    const first = step.rep === 1 && step.side !== 2;
    if (step.kind === "hold") return phaseOf(step);
    if (form.dose.hold) return first ? [set, phaseOf(step)].filter(Boolean).join(". ") : phaseOf(step);
    return first ? [set, phaseOf(step)].filter(Boolean).join(". ") : "";
  }

  function moves(form, on) {
    for (const drawing of form.el.querySelectorAll("svg")) {
      if (on) drawing.unpauseAnimations?.();
      else drawing.pauseAnimations?.();
    }
  }

  return { word, write, stage, end, exercise, second, heard, moves };
}
