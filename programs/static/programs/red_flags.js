// What a yes means is shown the moment it is sent, before any server has answered. The words stand
// in <template> elements of the page; which of them, the answers alone decide.

import "./seen.js";

const WAIT_MS = 15000;
const AGAIN_MS = 4000;

// The careful reading of patients/red_flags.py: beside a yes or a not-sure, a question without an
// answer counts as well. null when every given answer is no.
export function severityOf(form) {
  const questions = [...form.querySelectorAll("[data-severity]")].map((group) => ({
    severity: group.dataset.severity,
    answer: group.querySelector("input:checked")?.value ?? "",
  }));
  if (!questions.some(({ answer }) => answer && answer !== "no")) return null;
  const counting = questions.filter(({ answer }) => answer !== "no");
  return counting.some(({ severity }) => severity === "emergency") ? "emergency" : "same_day";
}

function firstOpen(form) {
  const open = [...form.querySelectorAll("[data-severity]")].find(
    (group) => !group.querySelector("input:checked"),
  );
  return open?.querySelector("input") ?? null;
}

function show(form, severity) {
  const words = document.querySelector(`template[data-advice="${severity}"]`);
  const page = document.querySelector("main");
  if (!words || !page) return null;
  for (const old of page.children) old.hidden = true;
  page.append(words.content.cloneNode(true));
  const advice = page.lastElementChild;
  document.title = advice.querySelector("h1").textContent.trim();
  window.scrollTo(0, 0);
  advice.querySelector("h1").focus({ preventScroll: true });
  return advice;
}

async function send(form, advice) {
  let refused = false;
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      credentials: "same-origin",
      signal: AbortSignal.timeout(WAIT_MS),
    });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    refused = response.status < 500;
    if (!response.ok || !page.querySelector("main .sb-stop-title")) throw new Error("not taken");
    // The server's own page says who has been told. Its advice is the same, so nobody is startled.
    const main = document.querySelector("main");
    main.replaceChildren(...page.querySelector("main").childNodes);
    main.querySelector("[role=alert]")?.removeAttribute("role");
    main.querySelector("h1").focus({ preventScroll: true });
  } catch {
    advice.querySelector('[data-part="unsent"]').hidden = false;
    if (refused) return;
    // Kept on the device as well, in case this page is closed; what arrives twice is kept once.
    if (!form.dataset.handed) {
      document.dispatchEvent(new CustomEvent("steadyback:queue", { detail: { form } }));
    }
    form.dataset.handed = "yes";
    later(() => send(form, advice));
  }
}

// As soon as there is a line, and every few seconds in case the browser does not notice.
function later(again) {
  const go = () => {
    clearTimeout(timer);
    window.removeEventListener("online", go);
    again();
  };
  const timer = setTimeout(go, AGAIN_MS);
  window.addEventListener("online", go);
}

function watch(form) {
  form.addEventListener("submit", (event) => {
    const severity = severityOf(form);
    if (severity === null) {
      const open = firstOpen(form);
      if (!open) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      form.querySelector('[data-part="open"]').hidden = false;
      open.focus();
      return;
    }
    const advice = show(form, severity);
    // With a worker behind the page the form goes out as it is: the worker keeps the answers
    // when there is no line. Without one this page itself must not be lost to an error page.
    if (!advice || navigator.serviceWorker?.controller) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    send(form, advice);
  });
}

for (const form of document.querySelectorAll('form[data-queue="red_flags"]')) watch(form);
