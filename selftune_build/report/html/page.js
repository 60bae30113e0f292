"use strict";
(() => {
  const cases = [...document.querySelectorAll("table.cases > tbody")];
  const packages = [...document.querySelectorAll("details.package")];
  const tools = document.getElementById("tools");

  // Sorting: a button in every heading; lines move within their table.
  for (const heading of document.querySelectorAll("table.cases th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading));
  }

  function key(body, column, kind) {
    const cell = body.rows[0].cells[column];
    return kind === "t" ? cell.textContent : Number(cell.dataset.key);
  }

  function sort(heading) {
    const table = heading.closest("table");
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const column = heading.cellIndex, kind = heading.dataset.sort;
    const keyed = [...table.tBodies].map((body) => [key(body, column, kind), body]);
    const order = kind === "t" ? (a, b) => a[0].localeCompare(b[0], "en", { numeric: true }) : (a, b) => a[0] - b[0];
    keyed.sort((a, b) => (down ? order(b, a) : order(a, b)));
    table.append(...keyed.map(([, body]) => body));
  }

  // Filtering: over all packages at once. Those without a match step back; a few with some are unfolded, many would take too long.
  const unfolded = 12;
  const words = new Map();
  const before = new Map(packages.map((one) => [one, one.open]));
  let filtered = false;

  function textOf(body, name) {
    if (!words.has(body)) {
      const prompt = body.querySelector(".prompt");
      words.set(body, `${name} ${body.rows[0].cells[0].textContent} ${prompt ? prompt.textContent : ""}`.toLowerCase());
    }
    return words.get(body);
  }

  function matches(one, wanted, state) {
    const name = one.querySelector("h3").textContent;
    let here = 0;
    for (const body of one.querySelectorAll("table.cases > tbody")) {
      const fits = (!state || body.dataset.state === state) && (!wanted || textOf(body, name).includes(wanted));
      body.hidden = !fits;
      here += fits;
    }
    return here;
  }

  function filter() {
    const wanted = document.getElementById("filter").value.trim().toLowerCase();
    const state = document.getElementById("state").value;
    const active = Boolean(wanted || state);
    if (active && !filtered) for (const one of packages) before.set(one, one.open);
    filtered = active;
    const found = packages.map((one) => matches(one, wanted, state));
    const few = found.filter(Boolean).length <= unfolded;
    packages.forEach((one, index) => {
      one.hidden = active && found[index] === 0;
      one.open = active && few ? found[index] > 0 : before.get(one);
    });
    const total = found.reduce((sum, here) => sum + here, 0);
    document.getElementById("found").textContent = active ? `${total} of ${cases.length} cases` : "";
  }

  if (tools) {
    tools.hidden = false;
    tools.addEventListener("submit", (event) => event.preventDefault());
    tools.addEventListener("input", filter);
  }

  // A link to something that is folded unfolds it.
  function reveal() {
    let place = document.getElementById(location.hash.slice(1));
    const target = place;
    for (; place; place = place.parentElement) if (place instanceof HTMLDetailsElement) place.open = true;
    if (target) target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // On paper every package is unfolded; transcripts are printed as far as they are unfolded on the screen.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = packages.filter((one) => !one.open);
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });
})();
