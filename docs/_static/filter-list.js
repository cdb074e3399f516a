// A list under a form of class "list-filter": shows the rows that fit the form's fields, folds the
// parts of the list, opens the part of the row that the address names, and keeps the fields in it.
"use strict";

const MOST_UNFOLDED = 40; // rows that a filter shows without a click

const verdict = (row) => row.lastElementChild.textContent;

function room(row) {
  const cell = row.cells[3];
  if (!cell.textContent.trim()) return "none";
  return cell.querySelector(".tight") ? "small" : "large";
}

function hasWords(row, words) {
  const text = `${row.textContent} ${row.querySelector("[id]")?.id ?? ""}`.toLowerCase();
  return words.toLowerCase().trim().split(/\s+/).every((word) => text.includes(word));
}

// By the name of a field: whether a row fits its value.
const FITS = {
  words: hasWords,
  page: (row, page) => row.closest("details").dataset.page === page,
  verdict: (row, word) => verdict(row).startsWith(word),
  recorded: (row, answer) => verdict(row).includes("recorded") === (answer === "yes"),
  room: (row, size) => room(row) === size,
};

// The cases of a family stand below one another, and what is said of all is said once.
function shorten(part) {
  let before;
  for (const says of part.querySelectorAll("tr:not([hidden]) .says")) {
    says.classList.toggle("is-again", says.textContent === before);
    before = says.textContent;
  }
}

function linkTo(place) {
  const link = document.createElement("a");
  link.className = "row-link";
  link.href = `#${place.id}`;
  link.textContent = "#";
  link.title = "Link to this row";
  link.setAttribute("aria-label", link.title);
  place.append(" ", link);
}

function setUp(form) {
  const { parts: partsOf, rows: rowsOf, noun } = form.dataset;
  const parts = [...document.querySelectorAll(partsOf)].map((element) => {
    const count = element.querySelector("summary span");
    return { element, count, counts: count?.textContent, rows: [...element.querySelectorAll(rowsOf)] };
  });
  const total = parts.reduce((sum, { rows }) => sum + rows.length, 0);

  function asked() {
    return [...new FormData(form)].filter(([, value]) => value.trim());
  }

  function show() {
    const fields = asked();
    let shown = 0;
    for (const { element, count, counts, rows } of parts) {
      for (const row of rows) row.hidden = !fields.every(([name, value]) => FITS[name](row, value));
      const found = rows.filter((row) => !row.hidden).length;
      element.hidden = !found;
      if (count) count.textContent = fields.length ? `${found} of ${rows.length} ${noun}` : counts;
      shorten(element);
      shown += found;
    }
    for (const { element } of parts) element.open = fields.length > 0 && shown <= MOST_UNFOLDED;
    const all = `${total} ${noun}`;
    form.querySelector("output").value = fields.length ? `${shown || "None"} of ${all}` : all;
  }

  function change(fragment = "") {
    show();
    const query = new URLSearchParams(asked()).toString();
    history.replaceState(null, "", location.pathname + (query && `?${query}`) + fragment);
  }

  function follow() {
    const row = document.getElementById(location.hash.slice(1))?.closest(rowsOf);
    if (!row) return;
    if (row.hidden) {
      form.reset();
      change(location.hash);
    }
    row.closest("details").open = true;
    row.scrollIntoView();
  }

  for (const { element } of parts) {
    if (!form.elements.page) break;
    const title = element.querySelector("summary").firstChild.textContent.replace(/: $/, "");
    form.elements.page.add(new Option(title, element.dataset.page));
    element.querySelectorAll("[id]").forEach(linkTo);
    element.addEventListener("click", () => shorten(element)); // which may have sorted it
  }
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (name in FITS && form.elements[name]) form.elements[name].value = value;
  }
  show();
  form.classList.add("is-ready");
  follow();
  addEventListener("hashchange", follow);
  form.addEventListener("input", () => change());
  form.querySelector("button").addEventListener("click", () => {
    form.reset();
    change();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

document.querySelectorAll("form.list-filter").forEach(setUp);
