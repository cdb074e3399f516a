// Beside each copy button of a cell, another: it copies the page up to here, as a script.
"use strict";

const CELLS = ".cell .cell_input pre";
const LABEL = "Copy the page up to here";

const source = (pre) => pre.textContent.replace(/\n$/, "");

function upTo(pre) {
  const cells = [...document.querySelectorAll(CELLS)];
  const above = cells.slice(0, cells.indexOf(pre) + 1);
  return above.map(source).join("\n\n") + "\n";
}

function button() {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "copypage o-tooltip--left";
  made.dataset.tooltip = LABEL;
  made.setAttribute("aria-label", LABEL);
  made.innerHTML =
    '<svg aria-hidden="true" viewBox="0 0 24 24" fill="none" stroke="currentColor">' +
    '<path d="M4 4h12M4 8h12M4 12h12M10 16v5m-3-3 3 3 3-3"/></svg>';
  return made;
}

function say(trigger, words) {
  trigger.dataset.tooltip = words;
  trigger.classList.add("success");
  setTimeout(() => {
    trigger.dataset.tooltip = LABEL;
    trigger.classList.remove("success");
  }, 2000);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const pre of document.querySelectorAll(CELLS)) pre.after(button());
  const clipboard = new ClipboardJS(".copypage", {
    text: (trigger) => upTo(trigger.parentElement.querySelector("pre")),
  });
  clipboard.on("success", ({ trigger }) => say(trigger, "Copied!"));
  clipboard.on("error", ({ trigger }) => say(trigger, "Failed to copy"));
});
