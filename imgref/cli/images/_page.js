"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => key(a).localeCompare(key(b), "en", { numeric: true }) * (up ? 1 : -1));
      table.tBodies[0].append(...rows);
    });
  });
}
const field = document.getElementById("filter");
if (field) {
  const tools = document.getElementById("tools");
  const count = document.getElementById("count");
  const rows = [...document.getElementById("images").tBodies[0].rows];
  tools.hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = `${shown} of ${rows.length}`;
  });
}
const graph = document.getElementById("graph");
if (graph) {
  const arrows = [...graph.querySelectorAll("[data-from]")];
  const nodes = [...graph.querySelectorAll("[data-node]")];
  const reach = (start, from, to) => {
    const found = new Set([start]);
    for (const name of found) {
      for (const arrow of arrows) if (arrow.dataset[from] === name) found.add(arrow.dataset[to]);
    }
    return found;
  };
  const clear = () => {
    graph.classList.remove("focus");
    for (const one of [...arrows, ...nodes]) one.classList.remove("dim");
  };
  const focus = (name) => {
    const up = reach(name, "from", "to");
    const down = reach(name, "to", "from");
    graph.classList.add("focus");
    for (const node of nodes) node.classList.toggle("dim", !up.has(node.dataset.node) && !down.has(node.dataset.node));
    for (const arrow of arrows) {
      const { from, to } = arrow.dataset;
      arrow.classList.toggle("dim", !(up.has(from) && up.has(to)) && !(down.has(from) && down.has(to)));
    }
  };
  for (const node of nodes) {
    node.addEventListener("pointerenter", () => focus(node.dataset.node));
    node.addEventListener("pointerleave", clear);
    node.addEventListener("focusin", () => focus(node.dataset.node));
    node.addEventListener("focusout", clear);
  }
}
