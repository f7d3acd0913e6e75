// Rows of the routine editor that move: by a handle, by their buttons without a reload, and by
// Alt with an arrow from any control of a row. What is sent is the order in which they stand.

const rows = document.querySelector("[data-rows]");
if (rows) begin(rows);

function begin(rows) {
  const form = rows.closest("form");
  const words = form.querySelector("[data-moved-words]");
  const hint = form.querySelector(".ed-keys");
  if (hint) hint.hidden = false;

  const all = () => [...rows.querySelectorAll("[data-row]")];
  const settle = (row) => {
    if (!form.elements.moved) {
      const said = document.createElement("input");
      Object.assign(said, { type: "hidden", name: "moved", value: "1" });
      form.append(said);
    }
    const found = all();
    found.forEach((one, at) => {
      const [up, down] = one.querySelectorAll(".ed-way");
      up.disabled = at === 0;
      down.disabled = at === found.length - 1;
    });
    const values = [row.dataset.name, found.indexOf(row) + 1, found.length];
    words.textContent = rows.dataset.moved.replace(/\{(\d)\}/g, (_, n) => values[n]);
    form.dispatchEvent(new Event("live:ask"));
  };
  const move = (row, up) => {
    const other = up ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return false;
    // The neighbour moves, so that whatever has the focus keeps it.
    if (up) row.after(other);
    else row.before(other);
    settle(row);
    return true;
  };

  rows.addEventListener("keydown", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    move(row, event.key === "ArrowUp");
    row.scrollIntoView({ block: "nearest" });
  });
  rows.addEventListener("click", (event) => {
    const way = event.target.closest(".ed-way");
    if (!way) return;
    event.preventDefault();
    const row = way.closest("[data-row]");
    move(row, way.value.endsWith(":up"));
    if (way.disabled) [...row.querySelectorAll(".ed-way")].find((one) => !one.disabled)?.focus();
  });
  for (const row of all()) hold(row, settle);
}

function hold(row, settle) {
  const handle = row.querySelector("[data-handle]");
  handle.hidden = false;
  let from = 0;
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    from = [...row.parentElement.children].indexOf(row);
    row.classList.add("is-held");
  });
  handle.addEventListener("pointermove", (event) => {
    if (!row.classList.contains("is-held")) return;
    const before = row.previousElementSibling;
    const after = row.nextElementSibling;
    const middle = (one) => one.getBoundingClientRect().top + one.offsetHeight / 2;
    if (before && event.clientY < middle(before)) row.after(before);
    else if (after && event.clientY > middle(after)) row.before(after);
  });
  const drop = () => {
    if (!row.classList.contains("is-held")) return;
    row.classList.remove("is-held");
    if ([...row.parentElement.children].indexOf(row) !== from) settle(row);
  };
  handle.addEventListener("pointerup", drop);
  handle.addEventListener("pointercancel", drop);
}
