// Tones, vibration and a voice: each only when it is wanted, and never the only sign of anything.

const TONES = {
  count: [[660, 0.08]],
  begin: [[880, 0.2]],
  end: [
    [880, 0.12],
    [660, 0.2],
  ],
  done: [
    [660, 0.12],
    [880, 0.12],
    [1100, 0.25],
  ],
};
const SHAKES = { begin: [60], end: [40, 60, 40], done: [80, 80, 160] };

/** `wanted` is read at every signal: `{sound, vibration, voice}`. */
export function signalsOf(wanted) {
  let audio = null;

  /** Browsers let sound begin only from a touch or a key. */
  function wake() {
    const Audio = window.AudioContext;
    if (!wanted.sound || !Audio) return;
    audio ??= new Audio();
    if (audio.state === "suspended") audio.resume().catch(() => {});
  }

  function play(tones) {
    if (!audio || audio.state !== "running") return;
    let at = audio.currentTime;
    for (const [pitch, seconds] of tones) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = pitch;
      // Fading in and out, or every tone would click.
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.18, at + 0.015);
      volume.gain.linearRampToValueAtTime(0, at + seconds);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + seconds);
      at += seconds;
    }
  }

  return {
    wake,
    give(name) {
      if (wanted.sound) play(TONES[name] ?? []);
      if (wanted.vibration && SHAKES[name]) navigator.vibrate?.(SHAKES[name]);
    },
    say(words, { first = false } = {}) {
      const voice = window.speechSynthesis;
      if (!wanted.voice || !voice || !words) return;
      if (first) voice.cancel();
      const said = new SpeechSynthesisUtterance(words);
      said.lang = document.documentElement.lang;
      said.rate = 0.95;
      voice.speak(said);
    },
    hush() {
      window.speechSynthesis?.cancel();
    },
  };
}
