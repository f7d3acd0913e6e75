// The guided session: hands-free from start to end. Without this file the page is a list and a
// form; with it the same page shows one exercise at a time and fills in the form.

import { awakeOf } from "./awake.js";
import { keptOf } from "./kept.js";
import { doseOf, isWork, planOf, secondsOf, startOf, whereAt, workBehind } from "./plan.js";
import { screenOf } from "./screen.js";
import { signalsOf } from "./signals.js";
import { tickerOf } from "./ticker.js";

// Walked through by the clock when at least so much of the work was counted.
const COUNTED = 0.5;
// Going back this soon means the exercise before, later the beginning of this one.
const SOON_S = 3;

const wordsIn = (el) => el?.textContent.replace(/\s+/g, " ").trim() ?? "";

/** One form of an exercise: the usual or the easier one. Less of the same has nothing to show of
 * its own but its dose. */
function formOf(el, _number, [usual]) {
  const dose = doseOf(el.dataset);
  const same = "same" in el.dataset;
  const shown = same ? usual : el;
  return {
    el: shown,
    dose,
    plan: planOf(dose),
    cues: [...shown.querySelectorAll("[data-cue]")],
    setUp: shown.querySelector("[data-set-up] > p"),
    words: wordsIn(same ? el : el.querySelector(".se-dose")),
  };
}

function itemsOf(root, answers) {
  return [...root.querySelectorAll("[data-item]")].map((el) => {
    const [usual, easier] = [...el.querySelectorAll("[data-form]")].map(formOf);
    const name = el.querySelector(".se-name").textContent.trim();
    return { el, usual, easier, name, answer: answers.elements[el.dataset.field] };
  });
}

/** A page that was kept for later holds the whole routine, also for the five-minute version. */
function shorten(root, answers) {
  if (new URLSearchParams(location.search).get("short") !== "1") return;
  if (["1", "True"].includes(answers.elements.short.value)) return;
  const out = [...root.querySelectorAll("[data-item]:not([data-short])")];
  if (out.length === root.querySelectorAll("[data-item]").length) return;
  answers.elements.short.value = "1";
  for (const el of out) {
    answers.elements[el.dataset.field].closest("li").remove();
    el.remove();
    root.querySelector(".se-beads > li").remove();
  }
}

function play(root) {
  const answers = root.querySelector("form[data-queue]");
  shorten(root, answers);
  const items = itemsOf(root, answers);
  const kept = keptOf(`${root.dataset.session}:${items.length}`);
  const screen = screenOf(root, items);
  const wanted = {};
  for (const name of ["sound", "vibration", "voice"]) wanted[name] = root.dataset[name] === "1";
  const signals = signalsOf(wanted);
  const awake = awakeOf();
  const ticker = tickerOf(passed);
  const state = {
    stage: "intro",
    index: 0,
    seconds: 0,
    how: items.map(() => ""),
    easier: items.map(() => false),
    walked: items.map(() => 0),
    paused: true,
  };
  let shown = -1;
  let counted = 0;

  const formAt = (index) => {
    const item = items[index];
    return state.easier[index] && item.easier ? item.easier : item.usual;
  };
  const form = () => formAt(state.index);
  const keep = () => kept.write({ ...state, ended: root.dataset.ended ?? "" });

  function left() {
    const after = items.slice(state.index + 1);
    const ahead = after.map((_, n) => secondsOf(formAt(state.index + 1 + n).plan));
    return secondsOf(form().plan) - state.seconds + ahead.reduce((sum, s) => sum + s, 0);
  }

  // --- time ---------------------------------------------------------------------------------

  function passed(seconds) {
    state.seconds += seconds;
    show();
  }

  function show() {
    const where = whereAt(form().plan, state.seconds);
    if (where === null) {
      finished();
      return;
    }
    if (where.index !== shown) stepped(where);
    count(where);
    screen.second(state, form(), where, left());
  }

  /** A new step began: it is heard once, and kept, so that a reload goes on here. */
  function stepped(where) {
    const before = form().plan[shown];
    shown = where.index;
    counted = 0;
    keep();
    if (state.paused) return;
    if (isWork(where.step) && !(before && isWork(before))) signals.give("begin");
    else if (before?.kind === "hold") signals.give("end");
    const words = screen.heard(form(), where.step);
    if (!words) return;
    screen.write("say", words);
    signals.say(words, { first: true });
    if (where.step.kind === "move" && where.step.set === 1 && where.step.rep === 1) {
      for (const cue of form().cues) signals.say(cue.textContent);
    }
  }

  /** The last three seconds before something begins. */
  function count({ step, left: seconds }) {
    const whole = Math.ceil(seconds);
    if (state.paused || isWork(step) || whole > 3 || whole === counted) return;
    counted = whole;
    signals.give("count");
  }

  // --- going on -----------------------------------------------------------------------------

  function go(index) {
    if (index >= items.length) {
      finish("all");
      return;
    }
    state.index = index;
    state.seconds = 0;
    shown = -1;
    enter();
  }

  /** The exercise comes on, and is said. */
  function enter() {
    screen.exercise(state);
    const item = items[state.index];
    if (!state.paused) {
      const number = screen.word("exercise", { n: state.index + 1, total: items.length });
      screen.write("say", `${number}. ${item.name}. ${form().words}`);
      signals.say(`${item.name}. ${form().words}`, { first: true });
      signals.say(form().setUp?.textContent);
    }
    screen.moves(form(), !state.paused);
    scrollTo(0, 0);
    show();
  }

  function finished() {
    state.seconds = secondsOf(form().plan);
    mark(state.easier[state.index] ? "easier" : "done");
    signals.give("done");
    go(state.index + 1);
  }

  function mark(how) {
    state.how[state.index] = how;
    state.walked[state.index] = workBehind(form().plan, state.seconds);
    items[state.index].answer.value = how;
  }

  function pause(on = true) {
    state.paused = on;
    screen.moves(form(), !on);
    if (on) {
      ticker.stop();
      awake.off();
      signals.hush();
    } else {
      signals.wake();
      awake.on();
      ticker.start();
    }
    show();
    keep();
  }

  function next() {
    const { plan } = form();
    if (whereAt(plan, state.seconds)?.step.kind === "setup") {
      state.seconds = startOf(plan, 1);
      if (state.paused) pause(false);
      else show();
      return;
    }
    mark(state.easier[state.index] ? "easier" : "done");
    signals.hush();
    go(state.index + 1);
  }

  function back() {
    const soon = state.seconds < startOf(form().plan, 1) + SOON_S;
    const index = soon ? Math.max(0, state.index - 1) : state.index;
    for (const again of new Set([state.index, index])) {
      state.how[again] = "";
      items[again].answer.value = "";
    }
    go(index);
  }

  function easier() {
    state.easier[state.index] = !state.easier[state.index];
    go(state.index);
  }

  /** One question; `then` gets its answer, or nothing when somebody goes on after all. */
  function ask(name, then) {
    const dialog = root.querySelector(`[data-ask="${name}"]`);
    const running = !state.paused;
    pause();
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        if (dialog.returnValue) then(dialog.returnValue);
        else if (running) pause(false);
      },
      { once: true },
    );
    dialog.showModal();
  }

  function leaveOut(how) {
    mark(how);
    screen.write("say", screen.word("leftOut"));
    pause(false);
    go(state.index + 1);
  }

  function hurts(how) {
    if (how === "hurt_little") {
      leaveOut(how);
      return;
    }
    mark(how);
    finish("stopped");
    // Nothing stands between a pull and the safety questions.
    if (how === "pull") answers.requestSubmit();
  }

  // --- beginning and end --------------------------------------------------------------------

  function start() {
    state.stage = "play";
    state.paused = false;
    screen.stage("play");
    signals.wake();
    awake.on();
    ticker.start();
    enter();
    keep();
    root.querySelector('[data-do="pause"]').focus({ preventScroll: true });
  }

  function finish(kind) {
    ticker.stop();
    awake.off();
    state.stage = "end";
    state.paused = true;
    root.dataset.ended = kind;
    const did = state.how.map((how) => how === "done" || how === "easier");
    const walked = state.walked.every((share, n) => !did[n] || share >= COUNTED);
    answers.elements.timed.value = did.includes(true) && walked ? "1" : "";
    ended(kind);
    keep();
    if (kind !== "list") signals.say(screen.word(kind === "all" ? "finished" : "stopped"));
    root.querySelector("#se-finish").focus();
  }

  function ended(kind) {
    screen.stage("end");
    screen.end(kind);
    if (kind !== "list") {
      for (const [number, item] of items.entries()) item.answer.value = state.how[number];
    }
  }

  function again() {
    state.stage = "play";
    state.paused = true;
    state.index = Math.min(state.index, items.length - 1);
    screen.stage("play");
    go(state.index);
  }

  const doing = {
    start,
    list: () => screen.stage("list"),
    pause: () => pause(!state.paused),
    next,
    back,
    easier,
    hurts: () => ask("hurts", hurts),
    skip: () => ask("skip", leaveOut),
    return: again,
  };
  root.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (name) doing[name]();
  });
  document.addEventListener("keydown", (event) => keyed(event));
  document.addEventListener("visibilitychange", () => {
    // Somebody who looks elsewhere is not exercising.
    if (document.hidden && state.stage === "play" && !state.paused) pause();
  });
  answers.addEventListener("change", () => {
    answers.elements.timed.value = "";
  });
  answers.addEventListener("submit", () => kept.forget());
  for (const box of root.querySelectorAll("[data-option]")) {
    box.checked = wanted[box.dataset.option];
    box.addEventListener("change", () => {
      wanted[box.dataset.option] = box.checked;
      signals.wake();
    });
  }

  function keyed(event) {
    const busy = state.stage !== "play" || root.querySelector("dialog[open]");
    if (busy || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const onward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key === " " && !event.target.closest("button, a, summary")) doing.pause();
    else if (event.key === onward) next();
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") back();
    else return;
    event.preventDefault();
  }

  // --- where it was -------------------------------------------------------------------------

  const was = kept.read();
  if ("wrong" in root.dataset || location.hash === "#done") {
    ended("list");
  } else if (was && was.how?.length === items.length && was.stage !== "intro") {
    Object.assign(state, was, { paused: true });
    if (was.stage === "end") {
      ended(was.ended || "list");
    } else {
      screen.stage("play");
      screen.exercise(state);
      screen.moves(form(), false);
      show();
    }
  } else {
    screen.stage("intro");
  }
}

const root = document.querySelector("[data-session]");
if (root) play(root);
