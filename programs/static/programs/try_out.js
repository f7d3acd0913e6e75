/* "Try it" on the page of settings: tone, vibration and voice as they are ticked now. All words
   come from the page. */

const box = document.querySelector("[data-try]");
const said = box.querySelector("[data-try-said]");
const ticked = (name) => document.querySelector(`input[name="${name}"]`).checked;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function tone() {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) return;
  const sound = new Context();
  const now = sound.currentTime;
  const voice = sound.createOscillator();
  const loudness = sound.createGain();
  voice.frequency.value = 660;
  loudness.gain.setValueAtTime(0, now);
  loudness.gain.linearRampToValueAtTime(0.3, now + 0.02);
  loudness.gain.exponentialRampToValueAtTime(0.001, now + 0.5);
  voice.connect(loudness).connect(sound.destination);
  voice.addEventListener("ended", () => sound.close());
  voice.start(now);
  voice.stop(now + 0.5);
}

/* Voices arrive some time after the page; one of another language would be worse than none. */
async function voiceFor(language) {
  const speaks = (voice) => voice.lang.toLowerCase().startsWith(language);
  for (let tries = 0; tries < 10 && !speechSynthesis.getVoices().length; tries += 1) await wait(100);
  return speechSynthesis.getVoices().find(speaks);
}

async function speak() {
  const language = document.documentElement.lang.slice(0, 2).toLowerCase();
  const voice = "speechSynthesis" in window ? await voiceFor(language) : undefined;
  if (!voice) return false;
  const words = new SpeechSynthesisUtterance(box.dataset.say);
  words.lang = document.documentElement.lang;
  words.voice = voice;
  speechSynthesis.cancel();
  speechSynthesis.speak(words);
  return true;
}

async function tryOut() {
  const trouble = [];
  if (ticked("sound")) tone();
  if (ticked("vibration") && !(navigator.vibrate && navigator.vibrate([120, 80, 120]))) {
    trouble.push(box.dataset.noVibration);
  }
  if (ticked("voice")) {
    await wait(ticked("sound") ? 600 : 0);
    if (!(await speak())) trouble.push(box.dataset.noVoice);
  }
  const anything = ["sound", "vibration", "voice"].some(ticked);
  said.textContent = trouble.join(" ") || (anything ? box.dataset.done : box.dataset.nothing);
}

box.hidden = false;
box.querySelector("[data-try-button]").addEventListener("click", () => {
  said.textContent = "";
  tryOut();
});
