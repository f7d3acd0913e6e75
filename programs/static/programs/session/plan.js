// What a patient does when, for one exercise: a list of timed steps made from its dose.
// Knows no page and no clock, so that it can be tried with numbers alone.

// Time to read how to get ready and to get there.
export const SET_UP_S = 15;
const SWITCH_S = 5;
// Of a slow breath, the part that goes in; out takes longer.
const IN = 3 / 7;

/** The dose as the page says it, in its data attributes. Times are seconds, sides "", "one-by-one"
 * or "in-turns"; `reps` are per side. */
export function doseOf(data) {
  const number = (name, other) => Number(data[name] ?? other) || other;
  return {
    sets: number("sets", 1),
    reps: number("reps", 1),
    hold: number("hold", 0),
    rep: number("rep", 4),
    rest: number("rest", 0),
    sides: data.sides ?? "",
    breathing: "breathing" in data,
  };
}

/** The steps of a dose, in their order: `{kind, s, set, sets, rep, reps, side}`.
 *
 * Kinds: setup, ready, move, hold, in, out, switch, rest. `side` is 0 where sides play no part,
 * else 1 or 2. A hold always has a countdown before it. */
export function planOf(dose) {
  const steps = [{ kind: "setup", s: SET_UP_S }];
  for (let set = 1; set <= dose.sets; set += 1) {
    const where = { set, sets: dose.sets };
    if (dose.reps === 1 && dose.hold) held(steps, dose, where);
    else if (dose.sides === "one-by-one") bySides(steps, dose, where);
    else repeated(steps, dose, where, dose.sides ? [1, 2] : [0]);
    // After the last set the next exercise is got ready, which is rest enough.
    if (dose.rest && set < dose.sets) steps.push({ kind: "rest", s: dose.rest, ...where });
  }
  return steps;
}

/** Something held still: get there, hold; then the other side. */
function held(steps, dose, where) {
  for (const side of dose.sides ? [1, 2] : [0]) {
    const at = { ...where, rep: 1, reps: 1, side };
    steps.push({ kind: side === 2 ? "switch" : "ready", s: Math.max(dose.rep, 3), ...at });
    steps.push({ kind: "hold", s: dose.hold, ...at });
  }
}

function bySides(steps, dose, where) {
  repeated(steps, dose, where, [1]);
  steps.push({ kind: "switch", s: SWITCH_S, ...where, side: 2 });
  repeated(steps, dose, where, [2]);
}

function repeated(steps, dose, where, sides) {
  for (let rep = 1; rep <= dose.reps; rep += 1) {
    for (const side of sides) {
      const at = { ...where, rep, reps: dose.reps, side };
      if (dose.breathing) {
        steps.push({ kind: "in", s: dose.rep * IN, ...at });
        steps.push({ kind: "out", s: dose.rep * (1 - IN), ...at });
      } else {
        steps.push({ kind: "move", s: dose.rep, ...at });
        if (dose.hold) steps.push({ kind: "hold", s: dose.hold, ...at });
      }
    }
  }
}

const WORK = new Set(["move", "hold", "in", "out"]);

export const isWork = (step) => WORK.has(step.kind);

/** Seconds that the steps take together. */
export const secondsOf = (steps) => steps.reduce((sum, step) => sum + step.s, 0);

/** Where one is after so many seconds: `{index, step, into, left}`; past the end null. */
export function whereAt(steps, seconds) {
  let from = 0;
  for (const [index, step] of steps.entries()) {
    if (seconds < from + step.s) {
      return { index, step, into: seconds - from, left: from + step.s - seconds };
    }
    from += step.s;
  }
  return null;
}

/** When a step begins, in seconds from the start of the exercise. */
export const startOf = (steps, index) => secondsOf(steps.slice(0, index));

/** The share of the work that lies behind after so many seconds, 0 to 1. */
export function workBehind(steps, seconds) {
  let from = 0;
  let all = 0;
  let behind = 0;
  for (const step of steps) {
    if (isWork(step)) {
      all += step.s;
      behind += Math.min(step.s, Math.max(0, seconds - from));
    }
    from += step.s;
  }
  return all ? behind / all : 1;
}

/** Which of `count` cues stands on the page: each in turn over a set, then from the first again. */
export function cueAt(steps, index, count) {
  const step = steps[index];
  if (!count || !step?.set) return 0;
  const same = steps.filter((other) => isWork(other) && other.set === step.set);
  if (same.length === 1) return 0;
  const place = same.indexOf(step);
  if (place < 0) return 0;
  return Math.min(count - 1, Math.floor((place * count) / same.length));
}

/** The same for one long hold, by its seconds. */
export const cueWithin = (step, into, count) =>
  Math.min(count - 1, Math.floor((into * count) / step.s));
