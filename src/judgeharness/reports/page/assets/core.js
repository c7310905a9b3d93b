"use strict";
/* What sections share: the data, the chosen item, the theme, and elements made without any markup being read into text. */
const JudgeHarness = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const listeners = new Map();
  const state = { subject: 0, item: null, pointed: null };

  function on(event, listener) {
    listeners.set(event, [...(listeners.get(event) ?? []), listener]);
  }

  function tell(event) {
    for (const listener of listeners.get(event) ?? []) listener(state);
  }

  function bytes(text) {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  }

  /* Numbers as the page holds them: {shape, f4 or f8}. `row(i)` is one row of a table. */
  function floats(packed) {
    const raw = bytes(packed.f4 ?? packed.f8);
    const view = new DataView(raw.buffer);
    const size = packed.f4 === undefined ? 8 : 4;
    const values = new Float64Array(raw.length / size);
    for (let i = 0; i < values.length; i += 1) {
      values[i] = size === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
    }
    const width = packed.shape[1] ?? 1;
    return { shape: packed.shape, values, row: (i) => Array.from(values.subarray(i * width, (i + 1) * width)) };
  }

  async function unpack(text) {
    const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  /* An element; text among the children stays text. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "style") element.style.cssText = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const figure = (value) => (value === null || value === undefined || Number.isNaN(value) ? "-" : value.toFixed(3));
  const largest = (row) => row.indexOf(Math.max(...row));
  const colour = (label) => `var(--label-${label % 4})`;
  const computed = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const subjects = data.subjects.map((subject) => ({
    ...subject,
    human: floats(subject.human),
    entropy: floats(subject.entropy).values,
    judges: subject.judges.map((judge) => ({
      ...judge,
      model: floats(judge.model),
      measures: Object.fromEntries(Object.entries(judge.measures).map(([name, packed]) => [name, floats(packed).values])),
    })),
    references: Object.fromEntries(Object.entries(subject.references).map(([name, packed]) => [name, floats(packed)])),
  }));

  function choose(item) {
    state.item = item;
    const uid = subjects[state.subject]?.uids[item];
    try {
      history.replaceState(null, "", `#item=${encodeURIComponent(uid)}`);
    } catch {
      // Some browsers keep a file's address as it is; the item is chosen all the same.
    }
    tell("choose");
  }

  function point(item) {
    if (state.pointed === item) return;
    state.pointed = item;
    tell("point");
  }

  function turnTo(subject) {
    Object.assign(state, { subject, item: null, pointed: null });
    tell("subject");
  }

  /* The item that the address names, which anybody may have written. */
  function namedItem() {
    try {
      return location.hash.startsWith("#item=") ? decodeURIComponent(location.hash.slice(6)) : null;
    } catch {
      return null;
    }
  }

  /* Called once every section's script has run. */
  function start() {
    document.getElementById("subject")?.addEventListener("change", (event) => turnTo(Number(event.target.value)));
    const wanted = namedItem();
    const place = wanted === null ? null : subjects.findIndex((subject) => subject.uids.includes(wanted));
    if (place !== null && place >= 0) {
      state.subject = place;
      const select = document.getElementById("subject");
      if (select) select.value = String(place);
    }
    tell("subject");
    if (place !== null && place >= 0) choose(subjects[place].uids.indexOf(wanted));
  }

  const themeButton = document.getElementById("theme");
  function setTheme(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    themeButton.setAttribute("aria-pressed", String(dark));
    tell("theme");
  }
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(prefersDark.matches);
  prefersDark.addEventListener("change", (event) => setTheme(event.matches));
  themeButton.addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));
  /* Paper is white, and nothing on it can be opened. */
  let wasDark = false;
  addEventListener("beforeprint", () => {
    wasDark = document.documentElement.dataset.theme === "dark";
    if (wasDark) setTheme(false);
    document.querySelectorAll("details").forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => { if (wasDark) setTheme(true); });
  addEventListener("DOMContentLoaded", start);

  return { data, subjects, state, on, choose, point, floats, unpack, make, figure, largest, colour, computed };
})();
