// Tables of class "sortable": a click on a heading sorts by its column, another turns it round.
"use strict";

const text = (row, column) => row.cells[column].textContent.trim();

// Numbers by size, whatever stands behind them; everything else by the alphabet.
function compare(a, b) {
  const [x, y] = [a, b].map((cell) => parseFloat(cell.replace("−", "-")));
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

function sortBy(table, column, button) {
  const heading = button.parentElement;
  const turn = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  table.querySelectorAll("th").forEach((th) => th.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => turn * compare(text(a, column), text(b, column)));
  table.tBodies[0].append(...rows);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("thead th").forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent.trim();
      button.addEventListener("click", () => sortBy(table, column, button));
      heading.replaceChildren(button);
    });
  }
});
