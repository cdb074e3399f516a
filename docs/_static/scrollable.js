// What is wider than the screen can be scrolled with the keyboard too.
"use strict";

function reach() {
  for (const box of document.querySelectorAll("div.formula, table.table")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}

document.addEventListener("DOMContentLoaded", reach);
document.addEventListener("toggle", reach, true); // what was folded had no width
