// Sending what waited, in the order it was given, red flags before everything else. One sender at
// a time on a device; what the server has is known by its id, so that sending twice is once.
(() => {
  const store = self.SteadybackStore;
  const BETWEEN = { red_flags: 0 };
  const order = (a, b) => (BETWEEN[a.kind] ?? 1) - (BETWEEN[b.kind] ?? 1) || a.seq - b.seq;

  function alone(work) {
    if (!navigator.locks) return work();
    return navigator.locks.request("steadyback-replay", { ifAvailable: true }, (lock) => {
      return lock ? work() : { sent: 0, left: -1 };
    });
  }

  // → {sent, left}: how many the server took now, and how many of this person still wait.
  async function replay(line) {
    return alone(async () => {
      const waiting = (await store.all()).filter((entry) => !entry.words);
      if (!waiting.length) return { sent: 0, left: 0 };
      const about = await ask(line);
      if (!about?.account) return { sent: 0, left: waiting.length };
      const mine = waiting.filter((entry) => entry.account === about.account).sort(order);
      let sent = 0;
      let next = null;
      for (const entry of mine) {
        const answer = await send(entry, about);
        if (answer === "later") break;
        if (answer.kept) {
          await store.settle(entry);
          sent += 1;
          next = answer.next ?? next;
        } else {
          await store.put({ ...entry, words: answer.words });
        }
      }
      if (sent) tell({ sent });
      return { sent, left: mine.length - sent, next };
    });
  }

  async function ask(line) {
    try {
      const response = await fetch(line, { cache: "no-store", credentials: "same-origin" });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  async function send(entry, about) {
    const ago = Math.max(0, (Date.now() - entry.at) / 1000);
    let response;
    try {
      response = await fetch(entry.url, {
        method: "POST",
        credentials: "same-origin",
        redirect: "manual",
        headers: {
          "X-CSRFToken": about.token,
          "X-Answered-Ago": ago.toFixed(3),
          "X-Answered-By": entry.account,
          "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
        },
        body: new URLSearchParams(entry.fields).toString(),
      });
      const said = await response.json();
      if (said.kept === true) return said;
      if (response.status === 400 && said.words) return { kept: false, words: said.words };
    } catch {
      // No line, or an answer that is none of ours: it waits.
    }
    return "later";
  }

  function tell(news) {
    if (!self.BroadcastChannel) return;
    const channel = new BroadcastChannel("steadyback");
    channel.postMessage(news);
    channel.close();
  }

  self.SteadybackReplay = { replay };
})();
