// Figures to move: beside each stands all it is made of; a live one takes the picture's place.
"use strict";

const HERE = document.currentScript.src;
const AHEAD = "2000px"; // how far below the screen a figure begins to load

let loading; // of the library, once for all figures of a page

function load(name) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(name, HERE);
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

function rows(table) {
  const names = Object.keys(table);
  return table[names[0]].map((_, row) =>
    Object.fromEntries(names.map((name) => [name, table[name][row]])),
  );
}

// A specification in the colours of the page, with its data, at the position of the controls.
function placed(specification, { tables, dark }, values) {
  const isDark = document.documentElement.dataset.theme === "dark";
  const colour = (found) => (isDark && dark[found.toLowerCase()]) || found;
  const made = JSON.parse(JSON.stringify(specification).replace(/#[0-9a-f]{6}\b/gi, colour));
  for (const each of made.data) {
    if (each.name in tables) each.values = rows(tables[each.name]);
  }
  for (const each of made.signals) {
    if (each.name in values) each.value = values[each.name];
  }
  return made;
}

function numbered(control, text) {
  const value = control.options?.find((each) => String(each) === text);
  return value ?? Number(text);
}

function rangeInput({ min, max, step, value }) {
  return Object.assign(element("input", { type: "range" }), { min, max, step, value });
}

function selectInput({ options, labels, value }) {
  const made = element("select");
  for (const [at, each] of options.entries()) {
    made.append(element("option", { value: each, textContent: labels?.[at] ?? each }));
  }
  made.value = value;
  return made;
}

// A control with its words before it and, behind a range, its value with the unit.
function controlled(control, changed) {
  const input = control.input === "select" ? selectInput(control) : rangeInput(control);
  const label = element("label");
  label.append(element("span", { textContent: control.name }), input);
  // Not part of the words before it; as the value of the range it is read out anyway.
  const shown = element("span", { className: "movable-value", ariaHidden: "true" });
  if (control.input === "range") label.append(shown);
  const digits = String(control.step ?? 1).split(".")[1]?.length ?? 0;
  const tell = () => {
    const words = `${Number(input.value).toFixed(digits)} ${control.unit ?? ""}`.trim();
    shown.textContent = words;
    if (control.input === "range") input.setAttribute("aria-valuetext", words);
  };
  input.addEventListener("input", () => {
    tell();
    changed(control.signal, numbered(control, input.value));
  });
  tell();
  return label;
}

function setUp(box) {
  const figure = box.closest("figure");
  const parts = JSON.parse(box.querySelector("script").textContent);
  const values = Object.fromEntries(parts.controls.map((each) => [each.signal, each.value]));
  const live = element("div", { className: "movable-live" });
  live.setAttribute("role", "img"); // one picture, in the words of the still one
  live.setAttribute("aria-label", figure.querySelector("img").alt);
  // Room for all of it before it is drawn, so that nothing below moves then.
  const places = parts.panels.map(({ height }) => {
    const place = element("div", { ariaHidden: "true" });
    place.style.height = `${height}px`;
    return place;
  });
  live.append(...places);
  let drawn = [];

  function move(name, value) {
    values[name] = value;
    for (const { view } of drawn) view.signal(name, value).runAsync();
  }

  function fit() {
    drawn.forEach(({ view }, at) => view.width(places[at].clientWidth).runAsync());
  }

  async function draw() {
    for (const each of drawn) each.finalize();
    const options = { mode: "vega", renderer: "svg", actions: false, hover: false };
    drawn = await Promise.all(
      parts.panels.map(({ specification }, at) =>
        vegaEmbed(places[at], placed(specification, parts, values), options),
      ),
    );
    for (const [name, value] of Object.entries(values)) move(name, value); // since it began
    fit();
  }

  // One drawing after another: a reader may change the theme twice while the first is made.
  let drawing = Promise.resolve();
  function drawAgain() {
    drawing = drawing.then(draw).catch(giveUp);
  }

  async function begin() {
    seen.disconnect();
    await load(parts.library);
    await draw();
    figure.classList.add("is-live");
    new ResizeObserver(fit).observe(live);
    const themes = { attributes: true, attributeFilter: ["data-theme"] };
    new MutationObserver(drawAgain).observe(document.documentElement, themes);
  }

  // The picture comes back, without what would not move it.
  function giveUp(error) {
    console.error(error);
    figure.classList.remove("is-movable", "is-live");
    live.remove();
    panel.remove();
  }

  const panel = element("div", { className: "movable-controls" });
  panel.append(...parts.controls.map((control) => controlled(control, move)));
  figure.querySelector("figcaption").before(live, panel);
  figure.classList.add("is-movable");
  const seen = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) begin().catch(giveUp);
    },
    { rootMargin: AHEAD },
  );
  seen.observe(figure);
}

document.querySelectorAll("div.movable").forEach(setUp);
