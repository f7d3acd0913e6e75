// A form that is shown its answer while it is being filled in.
//
// <form data-live="/address/" data-live-into="id"> is posted as it stands, a moment after the last
// change, with the header X-Live; the fragment of HTML that comes back replaces what the element
// with that id holds. A later change overtakes an earlier question. Without this script, or when
// the server does not answer, the form and its own button work as they are.
//
// Other scripts ask for a fresh look with form.dispatchEvent(new Event("live:ask")), and hear
// "live:shown" at the form once the fragment stands.

const PAUSE_MS = 250;

for (const form of document.querySelectorAll("form[data-live]")) {
  const into = document.getElementById(form.dataset.liveInto);
  if (into) follow(form, into);
}

function follow(form, into) {
  let waiting = 0;
  let asked = null;

  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    into.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.live, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-Live": "1" },
        redirect: "error",
        signal,
      });
      if (!answer.ok) return;
      const fragment = await answer.text();
      if (signal.aborted) return;
      into.innerHTML = fragment;
      form.dispatchEvent(new Event("live:shown"));
    } catch {
      // Overtaken, or no line: what stands there stays, and the button of the form still works.
    } finally {
      if (!signal.aborted) into.removeAttribute("aria-busy");
    }
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("live:ask", soon);
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    asked?.abort();
  });
}
