// The service worker: pages from the server whenever there is a line, from this device when there
// is none. What it has to know of the installation stands in self.STEADYBACK (programs/offline.py).
const KNOWS = self.STEADYBACK;
const store = self.SteadybackStore;
const STATIC = `steadyback-static-${KNOWS.version}`;
const PAGES = "steadyback-pages-";
const HASHED = /\.[0-9a-f]{12}\.\w+$/;
// Pages of the practice itself, of signing in, and what is asked by scripts: never kept.
const NOT_OURS = /^\/(clinic|api|hooks|demo|healthz|readyz|sw\.js|manifest)/;
// A copy of today is good for so long, as long as nothing was sent.
const FRESH_MS = 10 * 60 * 1000;
const fromDevice = new Set();

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const response = await fetch(KNOWS.alone, { credentials: "omit", cache: "no-store" });
      await keepStatics(await response.clone().text());
      await (await caches.open(STATIC)).put(KNOWS.alone, response);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin || NOT_OURS.test(url.pathname)) return;
  if (request.method === "GET" && url.pathname.startsWith(KNOWS.static)) {
    event.respondWith(staticFile(request, url));
  } else if (request.mode !== "navigate") {
    return;
  } else if (request.method === "GET") {
    event.respondWith(page(event, url));
  } else if (request.method === "POST") {
    // Whatever it is: the pages that are kept may be others from now on.
    event.waitUntil(store.setFact("kept", null));
    if (KNOWS.queues[url.pathname]) event.respondWith(answers(event, url));
  }
});

self.addEventListener("sync", (event) => {
  event.waitUntil(self.SteadybackReplay.replay(KNOWS.line));
});

self.addEventListener("message", (event) => {
  const { ask, account } = event.data ?? {};
  const port = event.ports[0];
  if (ask === "keep") event.waitUntil(keepPages(account).then(() => port?.postMessage("done")));
  if (ask === "from") port?.postMessage(fromDevice.has(event.source.id));
});

// --- what is kept ------------------------------------------------------------------------------

async function staticFile(request, url) {
  const cache = await caches.open(STATIC);
  const kept = await cache.match(request);
  if (kept && HASHED.test(url.pathname)) return kept;
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch {
    return kept ?? (await caches.match(request)) ?? Response.error();
  }
}

// Everything that a page, a style or a script names under the folder of static files.
async function keepStatics(text, base = location.href, seen = new Set()) {
  const cache = await caches.open(STATIC);
  const named = /(?:src|href)="([^"]+)"|(?:from|import)\s*\(?\s*["']([^"']+)["']|url\(([^)]+)\)/g;
  for (const match of text.matchAll(named)) {
    const name = (match[1] ?? match[2] ?? match[3]).replace(/^["']|["']$/g, "");
    if (match[2] && !/^[./]/.test(name)) continue;
    let url;
    try {
      url = new URL(name, base);
    } catch {
      continue;
    }
    if (url.origin !== location.origin || !url.pathname.startsWith(KNOWS.static)) continue;
    if (seen.has(url.href)) continue;
    seen.add(url.href);
    let response = HASHED.test(url.pathname) ? await cache.match(url.href) : null;
    if (!response) {
      response = await fetch(url.href);
      if (!response.ok) continue;
      await cache.put(url.href, response.clone());
    }
    if (/\.(js|css)$/.test(url.pathname)) await keepStatics(await response.text(), url.href, seen);
  }
}

// Take a copy of the pages of today, as long as they are this person's. A page that leads
// elsewhere has nothing to keep.
async function keepPages(account) {
  const last = await store.fact("kept");
  const same = last?.account === account && last.version === KNOWS.version;
  if (same && Date.now() - last.at < FRESH_MS) return;
  const wanted = [
    ...KNOWS.pages,
    ...Object.values(KNOWS.standIns),
    ...Object.values(KNOWS.advice),
    KNOWS.alone,
  ];
  const cache = await caches.open(PAGES + account);
  for (const path of wanted) {
    try {
      const response = await fetch(path, { cache: "no-store", credentials: "same-origin" });
      const tag = response.headers.get("X-Account-Tag");
      if (tag !== account) {
        if (tag) await note(response);
        return;
      }
      if (!response.ok || response.redirected) {
        await cache.delete(path);
        continue;
      }
      await keepStatics(await response.clone().text());
      await cache.put(path, stamped(response));
    } catch {
      return;
    }
  }
  await note(await cache.match(KNOWS.alone));
  await store.setFact("kept", { account, version: KNOWS.version, at: Date.now() });
  for (const name of await caches.keys()) {
    if (name.startsWith("steadyback-static-") && name !== STATIC) await caches.delete(name);
  }
}

// With the moment until which this device may show it.
function stamped(response) {
  const headers = new Headers(response.headers);
  const seconds = Number(response.headers.get("X-Account-Seconds") ?? 0);
  headers.set("X-Until", String(Date.now() + seconds * 1000));
  headers.set("X-Kept", String(Date.now()));
  return new Response(response.body, { status: 200, headers });
}

// Whose page this is. Another visit's pages are forgotten at once.
async function note(response) {
  const tag = response?.headers.get("X-Account-Tag");
  if (!tag) return;
  for (const name of await caches.keys()) {
    if (name.startsWith(PAGES) && name !== PAGES + tag) await caches.delete(name);
  }
  const account = tag === "none" ? "" : tag.split(".")[0];
  if ((await store.fact("account")) !== account) {
    await store.setFact("account", account);
    await store.setFact("stopped", "");
  }
}

// --- pages -------------------------------------------------------------------------------------

async function page(event, url) {
  let response = null;
  try {
    response = await fetch(event.request);
  } catch {
    // No line.
  }
  if (response && !(response.status >= 502 && response.status <= 504)) {
    event.waitUntil(look(response.clone(), url.search ? "" : url.pathname));
    return response;
  }
  const kept = await fromHere(url.pathname);
  if (kept && event.resultingClientId) fromDevice.add(event.resultingClientId);
  return kept ?? response ?? Response.error();
}

async function isOfAnotherDay(path) {
  const kept = await fromHere(path);
  const at = Number(kept?.headers.get("X-Kept") ?? 0);
  return new Date(at).toDateString() !== new Date().toDateString();
}

async function look(response, path) {
  await note(response);
  const tag = response.headers.get("X-Account-Tag");
  if (!tag || tag === "none" || !response.ok) return;
  if (path === "/") await store.setFact("stopped", await waitingStop());
  const still = response.headers.get("X-Stands-Still");
  if (still) {
    // Exercises are paused: none of them stays on this device; the page that says so stands in.
    await caches.delete(PAGES + tag);
    await store.setFact("kept", null);
    if (still === "page") await (await caches.open(PAGES + tag)).put("/", stamped(response));
  } else if (KNOWS.pages.includes(path)) {
    await (await caches.open(PAGES + tag)).put(path, stamped(response));
  }
}

async function fromHere(path) {
  const name = (await caches.keys()).find((found) => found.startsWith(PAGES));
  const cache = name ? await caches.open(name) : null;
  const get = async (address) => {
    const kept = cache ? await cache.match(address) : null;
    return kept && Number(kept.headers.get("X-Until")) > Date.now() ? kept : null;
  };
  const always = KNOWS.queues[path] === "red_flags";
  const stopped = await store.fact("stopped");
  if (stopped && !always) {
    const advice = await get(KNOWS.advice[stopped]);
    if (advice) return advice;
  } else if (KNOWS.standIns[path] || KNOWS.pages.includes(path)) {
    const kept = await get(KNOWS.standIns[path] ?? path);
    if (kept) return kept;
  }
  return (await get(KNOWS.alone)) ?? (await caches.match(KNOWS.alone));
}

// --- answers -----------------------------------------------------------------------------------

async function answers(event, url) {
  const copy = event.request.clone();
  const kind = KNOWS.queues[url.pathname];
  let response = null;
  try {
    response = await fetch(event.request);
    if (isTaken(response, kind)) {
      event.waitUntil(look(response.clone(), ""));
      return response;
    }
  } catch {
    // No line.
  }
  const fields = [...(await copy.formData())];
  // Whose page the form stood on; another tab may be somebody else's by now.
  const account = new Map(fields).get("whose") ?? (await store.fact("account"));
  if (!account) return response ?? Response.error();
  const fresh = fromDevice.has(event.clientId) && (await isOfAnotherDay(url.pathname));
  await store.keep({ kind, url: url.pathname, fields, account, fresh });
  await self.registration.sync?.register("steadyback").catch(() => {});
  if (kind !== "red_flags") {
    return Response.redirect(kind === "session" ? KNOWS.after : "/", 303);
  }
  const severity = severityOf(fields);
  await store.stop(severity);
  if (response) {
    // The server's own page of advice, where it could still give one.
    event.waitUntil(note(response));
    return response;
  }
  return Response.redirect(severity ? KNOWS.advice[severity] : "/", 303);
}

// Safety questions get their advice whatever is broken; whether it could be saved, the status says,
// or that nobody is signed in any more.
function isTaken(response, kind) {
  if (kind !== "red_flags") return response.status < 500;
  const nobody = response.headers.get("X-Account-Tag") === "none";
  return response.status < 500 && response.status !== 403 && !nobody;
}

// As patients/red_flags.py reads them: beside a raised answer an open one is read carefully.
function severityOf(fields) {
  const given = new Map(fields);
  const ids = Object.keys(KNOWS.severities);
  const raised = ids.filter((id) => ["yes", "not_sure"].includes(given.get(id)));
  if (!raised.length) return "";
  const counting = [...raised, ...ids.filter((id) => !given.get(id))];
  const urgent = counting.some((id) => KNOWS.severities[id] === "emergency");
  return urgent ? "emergency" : "same_day";
}

// What waits to be sent may still stop the exercises, whatever the server knows so far.
async function waitingStop() {
  const waiting = (await store.all()).filter((entry) => entry.kind === "red_flags");
  const found = waiting.map((entry) => severityOf(entry.fields));
  return found.includes("emergency") ? "emergency" : (found.find(Boolean) ?? "");
}
