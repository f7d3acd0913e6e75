// On every page: what waits to be sent is shown and sent, forms are kept when there is no line,
// and nothing of another visit stays. Words come from <template> elements of the page.
//
// A form with data-queue="session|check_in|skip|red_flags" is taken over only without a line. A
// script that answers such a form itself hands it over with
//   document.dispatchEvent(new CustomEvent("steadyback:queue", { detail: { form, submitter } }))
// and then nothing is opened in its place.
const store = self.SteadybackStore;
const here = document.querySelector("script[data-offline]").dataset;
const tag = here.account ?? "";
const account = tag && tag !== "none" ? tag.split(".")[0] : "";
const HOME = "/";
const PAGES = "steadyback-pages-";
const words = (name) => document.getElementById(`sb-words-${name}`)?.content.cloneNode(true);

// Under the greeting of the first page, at the top of every other.
function place(notice) {
  let notices = document.querySelector(".sb-notices");
  if (!notices) {
    notices = document.createElement("div");
    notices.className = "sb-notices";
    const head = location.pathname === HOME && document.querySelector("main header");
    if (head) head.after(notices);
    else document.querySelector("main").prepend(notices);
  }
  notices.append(notice);
}

// --- whose page this is --------------------------------------------------------------------------

async function forgetOthers() {
  if (!tag || !self.caches) return;
  for (const name of await caches.keys()) {
    if (name.startsWith(PAGES) && name !== PAGES + tag) await caches.delete(name);
  }
}

async function wipe() {
  await store.wipe();
  if (self.caches) for (const name of await caches.keys()) await caches.delete(name);
  sessionStorage.clear();
}

async function startWorker() {
  if (!account || !navigator.serviceWorker) return;
  await navigator.serviceWorker.register(here.worker);
  const { active } = await navigator.serviceWorker.ready;
  // On the first page only: that is where a day begins and where each of its parts ends.
  if (location.pathname !== HOME || (await comesFromHere())) return;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => (document.documentElement.dataset.kept = "");
  active.postMessage({ ask: "keep", account: tag }, [port2]);
}

// Whether this very page came from the device and not from the practice.
function comesFromHere() {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return false;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => resolve(event.data);
    setTimeout(() => resolve(false), 1000);
    worker.postMessage({ ask: "from" }, [port2]);
  });
}

// --- forms without a line ------------------------------------------------------------------------

const today = () => {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
};

async function keep(form, submitter, { fresh }) {
  const entry = await store.keep({
    kind: form.dataset.queue,
    url: new URL(form.action, location.href).pathname,
    fields: [...new FormData(form, submitter)],
    account,
    fresh,
  });
  if (entry.kind === "red_flags") {
    await store.stop(severityOf(form, entry.fields));
  }
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.sync?.register("steadyback").catch(() => {});
  return entry;
}

function severityOf(form, fields) {
  const given = new Map(fields);
  const asked = [...form.querySelectorAll("[data-severity]")].map((element) => {
    return [element.querySelector("input[type=radio]")?.name, element.dataset.severity];
  });
  if (![...given.values()].some((value) => value === "yes" || value === "not_sure")) return "";
  const counting = asked.filter(([name]) => given.get(name) !== "no");
  return counting.some(([, severity]) => severity === "emergency") ? "emergency" : "same_day";
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.dataset.queue || !account || navigator.onLine) return;
  event.preventDefault();
  // A copy of another day's page has that day's id.
  keep(form, event.submitter, { fresh: here.day !== today() }).then((entry) => {
    const severity = entry.kind === "red_flags" ? severityOf(form, entry.fields) : "";
    if (severity) location.assign(here[`advice_${severity}`]);
    else location.assign(entry.kind === "session" ? here.after : HOME);
    // Where nothing can be kept, the browser says that there is no line, and the form stays.
  }, () => form.submit());
});

document.addEventListener("steadyback:queue", (event) => {
  // Whoever hands it over sends it as well, so the id must be the form's own.
  if (account) keep(event.detail.form, event.detail.submitter, { fresh: false }).then(show);
});

// --- what waits ----------------------------------------------------------------------------------

async function show() {
  const all = await store.all();
  const mine = all.filter((entry) => entry.account === account);
  document.getElementById("unsent")?.remove();
  if (!account && all.length && tag === "none") {
    place(words("sign-in"));
  }
  const notice = mine.length ? words("unsent") : null;
  if (!notice) return;
  const list = notice.querySelector("[data-list]");
  const line = list.querySelector("li");
  const moment = new Intl.DateTimeFormat(document.documentElement.lang, {
    weekday: "long",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  line.remove();
  for (const entry of mine) {
    const item = line.cloneNode(true);
    item.querySelector("[data-what]").textContent = list.dataset[entry.kind] ?? "";
    const time = item.querySelector("time");
    time.dateTime = new Date(entry.at).toISOString();
    time.textContent = moment.format(entry.at);
    const refused = item.querySelector("[data-refused]");
    refused.hidden = !entry.words;
    refused.querySelector("[data-why]").textContent = (entry.words ?? []).join(" ");
    refused.querySelector("button").addEventListener("click", async () => {
      await store.remove(entry.seq);
      show();
    });
    list.append(item);
  }
  const button = notice.querySelector("[data-send]");
  button.hidden = mine.every((entry) => entry.words);
  button.addEventListener("click", async () => {
    const { left } = await send();
    if (left) document.querySelector("#unsent [data-no-line]").hidden = false;
  });
  const did = mine.some((entry) => {
    return entry.kind === "session" && !entry.words && entry.day === store.dayOf(Date.now());
  });
  const said = mine.some((entry) => entry.kind === "check_in");
  notice.querySelector("[data-next]").hidden = !did || said;
  // This copy of the page does not know that the routine is done.
  const start = document.querySelector("main > .sb-actions--thumb");
  if (did && start) start.hidden = true;
  place(notice);
}

// A server that is away says nothing when it is back.
const AGAIN_MS = 30_000;
let again = 0;

async function send() {
  const done = await self.SteadybackReplay.replay(here.line);
  if (!self.BroadcastChannel && done.sent) news();
  if (done.left > 0) {
    await show();
    clearTimeout(again);
    again = setTimeout(send, AGAIN_MS);
  }
  return done;
}

// Something of what waited has arrived: the first page says what comes next.
function news() {
  if (location.pathname === HOME) location.reload();
  else show();
}

async function tellOffline() {
  if (navigator.onLine && !(await comesFromHere())) return;
  const notice = words("no-line");
  const isOld = here.day && here.day !== today();
  const isSaid = document.querySelector("#no-line, [data-alone]");
  // What waits says it as well.
  if (!notice || isSaid || (!isOld && document.getElementById("unsent"))) return;
  notice.querySelector("[data-old]").hidden = !isOld;
  place(notice);
}

// --- signing out ---------------------------------------------------------------------------------

function guardSignOut() {
  const form = document.querySelector("form[data-sign-out]");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const waiting = await store.all().catch(() => []);
    if (waiting.length && !document.getElementById("sign-out-unsent")) {
      form.before(words("sign-out"));
      form.hidden = true;
      const notice = document.getElementById("sign-out-unsent");
      notice.querySelector("[data-count]").textContent = waiting.length;
      notice.querySelector("[data-send]").addEventListener("click", async () => {
        const { left } = await self.SteadybackReplay.replay(here.line);
        if (left !== 0 || (await store.all()).length) {
          notice.querySelector("[data-no-line]").hidden = false;
          return;
        }
        notice.remove();
        form.hidden = false;
      });
      notice.querySelector("[data-drop]").addEventListener("click", () => leave(form));
      notice.querySelector("h2").focus();
      return;
    }
    if (!waiting.length) leave(form);
  });
}

async function leave(form) {
  await wipe().catch(() => {});
  form.submit();
}

// --- to the first screen of the phone ----------------------------------------------------------

addEventListener("beforeinstallprompt", (event) => {
  const notice = location.pathname === HOME && !localStorage.getItem("install") && words("install");
  event.preventDefault();
  if (!notice || document.getElementById("install")) return;
  notice.querySelector("[data-yes]").addEventListener("click", () => event.prompt());
  notice.querySelector("[data-no]").addEventListener("click", () => {
    localStorage.setItem("install", "no");
    document.getElementById("install").remove();
  });
  document.querySelector("main").append(notice);
});

// --- from here on --------------------------------------------------------------------------------

async function start() {
  guardSignOut();
  await forgetOthers();
  await show();
  if (account) await send();
  await tellOffline();
  await startWorker();
}

if (self.BroadcastChannel) {
  new BroadcastChannel("steadyback").onmessage = news;
}
addEventListener("online", () => {
  document.getElementById("no-line")?.remove();
  if (account) send();
});
addEventListener("offline", () => tellOffline());
addEventListener("pageshow", (event) => event.persisted && show());
// A browser that cannot keep anything, or must not, still shows every page.
start().catch(() => {});
