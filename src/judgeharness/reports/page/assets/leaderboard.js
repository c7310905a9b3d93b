"use strict";
/* Sorting by any column, and rows by backend, strategy and transform. */
for (const board of document.querySelectorAll("[data-board]")) {
  const body = board.querySelector("tbody");
  const heads = [...board.querySelectorAll("thead th")];
  const original = [...body.rows];
  const filters = [...board.querySelectorAll("[data-filter]")];

  const value = (row, column, isNumber) => {
    const cell = row.cells[column];
    if (!isNumber) return cell.textContent.trim();
    const text = cell.dataset.value;
    return text === "" ? null : Number(text);
  };

  /* What has no value stands last, whichever way round. */
  const compare = (a, b, sign) => {
    if (a === null || b === null || a === "" || b === "") {
      const [emptyA, emptyB] = [a === null || a === "", b === null || b === ""];
      return Number(emptyA) - Number(emptyB);
    }
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };

  heads.forEach((head, column) => {
    const isNumber = head.dataset.kind === "number";
    const button = JudgeHarness.make("button", { type: "button" }, head.textContent.trim());
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const sorted = [...original].sort((left, right) =>
        compare(value(left, column, isNumber), value(right, column, isNumber), ascending ? 1 : -1));
      body.append(...sorted);
    });
  });

  const named = new Map(original.map((row) => [row, JSON.parse(row.dataset.filters)]));
  for (const filter of filters) {
    const place = Number(filter.dataset.filter);
    const names = [...new Set([...named.values()].map((names) => names[place]).filter(Boolean))].sort();
    filter.append(...names.map((name) => JudgeHarness.make("option", { value: name }, name)));
    filter.addEventListener("change", () => {
      for (const [row, names] of named) {
        row.hidden = filters.some((each) => each.value && names[Number(each.dataset.filter)] !== each.value);
      }
    });
  }
  board.querySelector("form").hidden = false;
}
