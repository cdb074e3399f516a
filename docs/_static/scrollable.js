// What is wider than the screen can be scrolled with the keyboard too.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("div.formula, table.table")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
