// What this device holds: answers that wait for a line, and a few facts about them.
//
// A plain script, because it runs in pages and in the worker. `queue` holds one record per form:
// {seq, kind, url, fields: [[name, value], …], formId, clientId, account, at, day, words}. `at` is
// this device's clock in milliseconds; `words` is why the server did not take it, else null.
// `facts` holds: account, stopped (the advice that stands, or ""), used (ids the server has).
(() => {
  const DATABASE = "steadyback";
  let opened = null;

  function open() {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
        request.result.createObjectStore("facts");
      };
      request.onsuccess = () => {
        const database = request.result;
        // Another page or the browser itself may want to remove it: then let go.
        database.onversionchange = () => forgetHandle(database);
        database.onclose = () => forgetHandle(database);
        resolve(database);
      };
      request.onerror = () => reject(request.error);
    });
    opened.catch(() => (opened = null));
    return opened;
  }

  function forgetHandle(database) {
    database.close();
    opened = null;
  }

  async function within(store, mode, work) {
    const database = await open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(store, mode, { durability: "strict" });
      let result;
      transaction.oncomplete = () => resolve(result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      work(transaction.objectStore(store), (value) => (result = value));
    });
  }

  const all = () =>
    within("queue", "readonly", (queue, give) => {
      queue.getAll().onsuccess = (event) => give(event.target.result);
    });
  const put = (entry) => within("queue", "readwrite", (queue) => queue.put(entry));
  const remove = (seq) => within("queue", "readwrite", (queue) => queue.delete(seq));
  const fact = (name) =>
    within("facts", "readonly", (facts, give) => {
      facts.get(name).onsuccess = (event) => give(event.target.result);
    });
  const setFact = (name, value) => within("facts", "readwrite", (facts) => facts.put(value, name));

  const dayOf = (moment) => {
    const date = new Date(moment);
    return [date.getFullYear(), date.getMonth() + 1, date.getDate()].join("-");
  };

  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // What is to be done stands until the practice knows of it: a later no takes nothing back.
  async function stop(severity) {
    if (severity && (await fact("stopped")) !== "emergency") await setFact("stopped", severity);
  }

  const said = (fields) =>
    JSON.stringify(fields.filter(([name]) => name !== "client_id").sort());

  // Keep one form for later. A page that is opened again without a line still has the id of its
  // first answers: the same form on the same day replaces what waits, any other gets a new id, and
  // so does a form from a page of another day (`fresh`). Safety answers replace nothing: whoever
  // said yes has said it.
  async function keep({ kind, url, fields, account, fresh = false }) {
    const at = Date.now();
    const plain = fields.filter(([name, value]) => {
      return name !== "csrfmiddlewaretoken" && typeof value === "string";
    });
    const formId = (plain.find(([name]) => name === "client_id") ?? [])[1] ?? newId();
    const waiting = (await all()).filter((entry) => entry.formId === formId);
    const same = waiting.find((entry) => {
      if (kind === "red_flags" && said(entry.fields) !== said(plain)) return false;
      return entry.account === account && entry.kind === kind && entry.day === dayOf(at);
    });
    const used = (await fact("used")) ?? [];
    const taken = fresh || waiting.length > 0 || used.includes(formId);
    const clientId = same ? same.clientId : taken ? newId() : formId;
    const entry = {
      kind,
      url,
      account,
      formId,
      clientId,
      at,
      day: dayOf(at),
      words: null,
      fields: [...plain.filter(([name]) => name !== "client_id"), ["client_id", clientId]],
    };
    if (same) entry.seq = same.seq;
    await put(entry);
    return entry;
  }

  // The server has it: its id must not stand for other answers.
  async function settle(entry) {
    const used = (await fact("used")) ?? [];
    await setFact("used", [...used, entry.formId].slice(-100));
    await remove(entry.seq);
  }

  async function wipe() {
    await within("queue", "readwrite", (queue) => queue.clear());
    await within("facts", "readwrite", (facts) => facts.clear());
  }

  self.SteadybackStore = { all, put, remove, fact, setFact, stop, keep, settle, wipe, dayOf };
})();
