"use strict";
/* The list of items with its filters, and the chosen item down to a prompt's scores. */
(() => {
  const { make, subjects, state, on, figure, largest, colour, floats, unpack, data } = JudgeHarness;
  const PAGE = 50;
  const by = (id) => document.getElementById(id);
  const [search, majority, band, order, judgeChoice, otherChoice, measureChoice] =
    ["search", "majority", "band", "order", "judge", "other", "measure"].map((name) => by(`items-${name}`));
  const body = by("items-list").tBodies[0];
  const article = by("item");
  const averages = new WeakMap();
  let shown = [];
  let texts = [];
  let asking = null;

  const subject = () => subjects[state.subject];
  const own = () => data.items[state.subject];
  const option = (value, text) => make("option", { value }, text);

  function haystack(item) {
    const known = own().texts?.[item];
    const words = known?.fields ? [...Object.values(known.fields), ...known.explanations.map((each) => each.text)] : [];
    return [subject().uids[item], ...words].join("\n").toLowerCase();
  }

  function value(item) {
    const { judges } = subject();
    const of = (choice) => judges[Number(choice.value)]?.measures[measureChoice.value]?.[item] ?? NaN;
    if (order.value === "measure") return of(judgeChoice);
    if (order.value === "gain") return badness(of(otherChoice)) - badness(of(judgeChoice));
    return NaN;
  }

  /* A measure's value as what is larger for a worse judge. */
  function badness(number) {
    const direction = subject().measures[measureChoice.value]?.direction;
    return direction === "higher" ? -number : direction === "zero" ? Math.abs(number) : number;
  }

  function refresh() {
    const { human, entropy, bands, uids } = subject();
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = uids.map((_, item) => item).filter((item) =>
      (majority.value === "" || largest(human.row(item)) === Number(majority.value)) &&
      (band.value === "" || bands[item] === band.value) &&
      words.every((word) => texts[item].includes(word)));
    const key = { entropy: (item) => entropy[item], measure: (item) => badness(value(item)) }[order.value] ?? value;
    if (order.value !== "data") {
      const keys = new Map(found.map((item) => [item, key(item)]));
      const last = (number) => (Number.isNaN(number) ? -Infinity : number);
      found.sort((a, b) => last(keys.get(b)) - last(keys.get(a)) || a - b);
    }
    shown = found;
    by("items-count").textContent = `${found.length.toLocaleString("en")} of ${uids.length.toLocaleString("en")} items`;
    const measured = order.value === "measure" || order.value === "gain";
    by("items-value").textContent = measured ? measureChoice.selectedOptions[0]?.textContent ?? "" : "";
    document.querySelectorAll(".of-judge").forEach((each) => { each.hidden = !measured; });
    document.querySelector(".of-gain").hidden = order.value !== "gain";
    body.replaceChildren();
    more();
  }

  function more() {
    const from = body.rows.length;
    body.append(...shown.slice(from, from + PAGE).map(row));
    by("items-more").hidden = body.rows.length >= shown.length;
  }

  function row(item) {
    const { uids, human, entropy, labels } = subject();
    const fields = own().texts?.[item]?.fields;
    const cells = [
      make("td", {}, make("button", { type: "button", onclick: () => JudgeHarness.choose(item) }, uids[item])),
      own().texts ? make("td", { class: "text" }, fields ? Object.values(fields).join(" / ") : "") : null,
      make("td", {}, labels[largest(human.row(item))]),
      make("td", { class: "number" }, figure(entropy[item])),
      make("td", { class: "number" }, Number.isNaN(value(item)) ? "" : figure(value(item))),
    ];
    return make("tr", { "data-item": item, "aria-current": state.item === item ? "true" : null, onmouseenter: () => JudgeHarness.point(item), onmouseleave: () => JudgeHarness.point(null) }, ...cells.filter(Boolean));
  }

  function bar(share, place) {
    if (Number.isNaN(share)) return make("td", { class: "bar" }, "-");
    const fill = make("span", { class: "fill", style: `width: ${100 * share}%; background: ${colour(place)}` });
    return make("td", { class: "bar" }, figure(share), make("span", { class: "track", "aria-hidden": "true" }, fill));
  }

  function distributionRow(name, shares, more, note = null) {
    const head = make("th", { scope: "row" }, name, note === null ? null : make("span", { class: "bad" }, ` ${note}`));
    return make("tr", {}, head, ...shares.map(bar), ...more.map((text) => make("td", { class: "number" }, text)));
  }

  function distributions(item) {
    const { labels, human, judges, references, votes, uids } = subject();
    const names = [...new Set(judges.flatMap((judge) => Object.keys(judge.measures)))];
    const nothing = names.map(() => "");
    const head = make("tr", {}, make("td"), ...labels.map((label) => make("th", { scope: "col" }, label)), ...names.map((name) => make("th", { scope: "col", class: "number" }, measureName(name))));
    const rows = [
      distributionRow(votes?.[item] ? `people (${votes[item].map((count) => count.toLocaleString("en")).join(" / ")} votes)` : "people", human.row(item), nothing),
      ...Object.entries(references).map(([name, table]) => distributionRow(name, table.row(item), nothing)),
      ...judges.map((judge) => distributionRow(judge.name, judge.model.row(item), names.map((name) => figure(judge.measures[name]?.[item])), judge.failures[uids[item]] ?? null)),
    ];
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Distributions" }, make("table", { class: "bars" }, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  const measureName = (name) => subject().measures[name].label;

  function explanationList(explanations, title) {
    if (!explanations?.length) return [];
    const { labels } = subject();
    const line = (each) => make("li", {}, make("span", { class: "tag", style: `color: ${colour(each.label)}` }, labels[each.label]), ` ${each.text}`, each.annotator === null ? null : make("span", { class: "dim" }, ` (${each.annotator})`));
    return [make("h4", {}, title), make("ol", { class: "explanations" }, ...explanations.map(line))];
  }

  function textParts(item) {
    const known = own().texts?.[item];
    if (!known?.fields) return [];
    const fields = Object.entries(known.fields).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]);
    return [make("dl", { class: "fields" }, ...fields), ...explanationList(known.explanations, "Explanations")];
  }

  function step(by) {
    const place = shown.indexOf(state.item);
    const next = shown[place + by];
    if (next !== undefined) JudgeHarness.choose(next);
  }

  function show() {
    const item = state.item;
    for (const each of body.rows) {
      if (Number(each.dataset.item) === item) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
    if (item === null) {
      article.replaceChildren(make("p", { class: "dim" }, "Choose an item."));
      return;
    }
    const place = shown.indexOf(item);
    const turn = (text, by, label) => make("button", { type: "button", "aria-label": label, disabled: place < 0 || shown[place + by] === undefined, onclick: () => step(by) }, text);
    article.replaceChildren(
      make("div", { class: "turn" }, make("h3", {}, subject().uids[item]), turn("←", -1, "Previous item"), turn("→", 1, "Next item")),
      ...textParts(item),
      make("h4", {}, "Distributions"),
      distributions(item),
      ...promptParts(item),
    );
  }

  function promptParts(item) {
    const uid = subject().uids[item];
    const asked = own().askings.map((each, place) => [each, place]).filter(([each]) => each.answers[uid]);
    if (!asked.length) return [];
    if (!asked.some(([, place]) => place === asking)) asking = asked[0][1];
    const holder = make("div", {});
    const choice = make("select", { id: "item-asking", onchange: (event) => { asking = Number(event.target.value); fill(holder, item); } }, ...asked.map(([each, place]) => option(place, each.name)));
    choice.value = String(asking);
    fill(holder, item);
    return [make("h4", {}, "Every prompt"), make("label", {}, "of ", choice), holder];
  }

  const softmax = (row) => {
    const most = Math.max(...row);
    const weights = row.map((score) => Math.exp(score - most));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  };

  async function fill(holder, item) {
    const of = own().askings[asking];
    const answer = of.answers[subject().uids[item]];
    let asked;
    try {
      asked = await unpack(own().prompts[answer.prompts]);
    } catch (error) {
      holder.replaceChildren(make("p", { class: "bad" }, `This browser cannot unpack the prompts: ${error}`));
      return;
    }
    const scores = floats(answer.scores);
    const rows = asked.options.map((_, prompt) => scores.row(prompt));
    const shares = answer.kind === "read" ? rows : rows.map(softmax);
    const detail = make("div", { class: "prompt" });
    const pick = (prompt) => detail.replaceChildren(...promptDetail(of, asked, answer, rows, shares, prompt));
    holder.replaceChildren(
      make("p", { class: "dim" }, answer.kind === "read" ? "The distribution that was read from each answer." : "Each prompt's shares of the options (softmax of its scores at temperature 1). Choose a cell for the prompt as it was sent."),
      ...explanationList(asked.shown && JSON.stringify(asked.shown) !== JSON.stringify(own().texts?.[item]?.explanations) ? asked.shown : null, "Explanations that this judge was shown"),
      heatMaps(asked, shares, rows, pick),
      ...preferences(of, answer),
      detail,
    );
    pick(0);
  }

  /* An answer in writing that says no distribution stands as zeros. */
  const isRead = (row) => row.some((score) => score !== 0);

  /* Labels as short as they can be told apart. */
  function initials(labels) {
    for (let length = 1; length < 12; length += 1) {
      const short = labels.map((label) => label.slice(0, length));
      if (new Set(short).size === labels.length) return short;
    }
    return labels;
  }

  function heatMaps(asked, shares, rows, pick) {
    const { labels } = subject();
    const short = initials(labels);
    const orders = [...new Set(asked.options.map((each) => each.join(" ")))];
    const placed = new Map();
    asked.options.forEach((each, prompt) => {
      const base = asked.explanations[prompt].map((index) => `E${index + 1}`).join(" ") || "-";
      const column = orders.indexOf(each.join(" "));
      let key = base;
      for (let again = 2; placed.get(key)?.[column] !== undefined; again += 1) key = `${base} (${again})`;
      placed.set(key, Object.assign(placed.get(key) ?? [], { [column]: prompt }));
    });
    const tables = labels.map((label, place) => heatMap(label, place, orders, short, placed, shares, rows, pick));
    return make("div", { class: "heats" }, ...tables.map((table) => make("div", { class: "scroll" }, table)));
  }

  function heatMap(label, place, orders, short, placed, shares, rows, pick) {
    const names = orders.map((order) => order.split(" ").map((index) => short[Number(index)]).join(" "));
    const head = make("tr", {}, make("th", { scope: "col" }, "explanations"), ...names.map((name) => make("th", { scope: "col", title: "the labels behind A, B, C, ..." }, name)));
    const lines = [...placed].map(([key, prompts]) => {
      const cells = orders.map((_, column) => {
        const prompt = prompts[column];
        if (prompt === undefined) return make("td", { role: "gridcell" });
        const share = shares[prompt][place];
        const style = `background: color-mix(in srgb, var(--heat) ${Math.round(65 * share)}%, var(--paper))`;
        const text = isRead(rows[prompt]) ? share.toFixed(2).replace(/^0/, "") : "-";
        return make("td", { role: "gridcell", tabindex: "-1", "data-prompt": prompt, style, title: `score ${rows[prompt][place]}` }, text);
      });
      return make("tr", {}, make("th", { scope: "row" }, key), ...cells);
    });
    const table = make("table", { class: "heat", role: "grid" }, make("caption", {}, label), make("thead", {}, head), make("tbody", {}, ...lines));
    table.querySelector("[data-prompt]")?.setAttribute("tabindex", "0");
    const choose = (cell) => {
      cell.closest(".heats").querySelectorAll("[aria-selected]").forEach((each) => each.removeAttribute("aria-selected"));
      cell.closest(".heats").querySelectorAll(`[data-prompt="${cell.dataset.prompt}"]`).forEach((each) => each.setAttribute("aria-selected", "true"));
      pick(Number(cell.dataset.prompt));
    };
    table.addEventListener("click", (event) => { const cell = event.target.closest("[data-prompt]"); if (cell) choose(cell); });
    table.addEventListener("keydown", (event) => move(event, choose));
    return table;
  }

  /* Arrow keys go from cell to cell, Enter chooses one. */
  function move(event, choose) {
    const cell = event.target.closest("td");
    if (!cell) return;
    const row = cell.parentElement;
    const to = {
      ArrowRight: cell.nextElementSibling, ArrowLeft: cell.previousElementSibling,
      ArrowDown: row.nextElementSibling?.cells[cell.cellIndex], ArrowUp: row.previousElementSibling?.cells[cell.cellIndex],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") choose(cell);
    else if (to?.dataset.prompt !== undefined) {
      cell.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    } else return;
    event.preventDefault();
  }

  function promptDetail(of, asked, answer, rows, shares, prompt) {
    const { labels } = subject();
    const letters = asked.options[prompt].map((label, place) => make("tr", {},
      make("th", { scope: "row" }, String.fromCharCode(65 + place)), make("td", {}, labels[label]),
      make("td", { class: "number" }, String(rows[prompt][label])), make("td", { class: "number" }, figure(shares[prompt][label])),
      make("td", {}, answer.censored?.[prompt]?.[label] ? "upper bound" : "")));
    const kind = { logit: "logit", logprob: "log-probability", read: "read" }[answer.kind] ?? answer.kind;
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...["", "label"].map((text) => make("th", { scope: "col" }, text)), ...[kind, "share"].map((text) => make("th", { scope: "col", class: "number" }, text)), make("th", { scope: "col" }))), make("tbody", {}, ...letters));
    const mass = answer.mass === undefined ? null : make("p", { class: "dim" }, `The options hold ${(100 * floats(answer.mass).values[prompt]).toFixed(1)} % of the probability of the first answer token.`);
    const scrolled = make("div", { class: "scroll" }, table);
    const unread = isRead(rows[prompt]) ? null : make("p", { class: "bad" }, "This answer could not be read, and is left out.");
    return [make("h4", {}, `Prompt ${prompt + 1} of ${rows.length}`), scrolled, mass, unread, ...sent(of, asked, prompt), ...writtenParts(asked, prompt)].filter(Boolean);
  }

  /* The prompt as it was sent; its messages by role where a chat template's text is not known. */
  function sent(of, asked, prompt) {
    const messages = asked.messages?.[prompt];
    if (!messages) return [make("p", { class: "dim" }, "Texts are left out of this file.")];
    // Some templates trim what they are given, so that only what has nothing to be trimmed is known to the letter.
    if (of.around && messages.length === 1 && messages[0][1].trim() === messages[0][1]) {
      return [make("pre", { class: "sent" }, make("span", { class: "around" }, of.around[0]), messages[0][1], make("span", { class: "around" }, of.around[1]))];
    }
    return messages.map(([role, content]) => make("div", {}, make("span", { class: "tag" }, role), make("pre", { class: "sent" }, content)));
  }

  function writtenParts(asked, prompt) {
    return asked.written.flatMap((texts, turn) => {
      const own = texts.length === asked.options.length ? [texts[prompt]] : texts;
      const times = own.length > 1 ? `, ${own.length} times for this item` : "";
      const title = `What it wrote${asked.written.length > 1 ? ` (turn ${turn + 1})` : ""}${times}`;
      return [make("h4", {}, title), ...own.map((text) => make("pre", { class: "written" }, text))];
    });
  }

  /* The mean over all items of what one item has, for comparison. */
  function average(of, name) {
    const known = averages.get(of) ?? {};
    if (known[name] === undefined) {
      const all = Object.values(of.answers).map((answer) => answer[name]).filter(Boolean).map((each) => floats(each).values);
      const width = all[0]?.length ?? 0;
      const same = all.filter((each) => each.length === width);
      known[name] = Array.from({ length: width }, (_, place) => same.reduce((sum, each) => sum + each[place], 0) / same.length);
      averages.set(of, known);
    }
    return known[name];
  }

  function preferences(of, answer) {
    const table = (name, head, labelOf) => {
      if (answer[name] === undefined) return null;
      const values = [...floats(answer[name]).values];
      const mean = average(of, name);
      const heads = make("tr", {}, make("th", { scope: "col" }, head), make("th", { scope: "col" }, "this item"), make("th", { scope: "col" }, "all items"));
      const lines = values.map((share, place) => make("tr", {}, make("th", { scope: "row" }, labelOf(place)), bar(share, 0), bar(mean[place] ?? NaN, 0)));
      return make("table", { class: "bars preferences" }, make("thead", {}, heads), make("tbody", {}, ...lines));
    };
    const letters = table("letters", "answer letter", (place) => String.fromCharCode(65 + place));
    const places = table("places", "explanation at place", (place) => String(place + 1));
    const note = "The mean share of each letter, whatever label stands behind it; and of the label of the explanation at each place. A judge that minds neither gives all the same.";
    return letters ? [make("h4", {}, "Letters and places"), letters, places, make("p", { class: "dim" }, note)].filter(Boolean) : [];
  }

  function build() {
    const { labels, bands, judges, uids } = subject();
    band.replaceChildren(option("", "any"), ...[...new Set(bands)].sort().map((name) => option(name, name)));
    majority.replaceChildren(option("", "any label"), ...labels.map((label, place) => option(place, label)));
    const names = judges.map((judge, place) => option(place, judge.name));
    judgeChoice.replaceChildren(...names);
    otherChoice.replaceChildren(...names.map((each) => each.cloneNode(true)));
    if (judges.length > 1) otherChoice.value = "1";
    const measures = [...new Set(judges.flatMap((judge) => Object.keys(judge.measures)))];
    measureChoice.replaceChildren(...measures.map((name) => option(name, measureName(name))));
    if (measures.includes("jsd")) measureChoice.value = "jsd";
    texts = uids.map((_, item) => haystack(item));
    asking = null;
    refresh();
    show();
  }

  by("items-filters").addEventListener("submit", (event) => event.preventDefault());
  for (const control of [search, majority, band, order, judgeChoice, otherChoice, measureChoice]) control.addEventListener("input", refresh);
  judgeChoice.addEventListener("input", () => { asking = own().judges[Number(judgeChoice.value)] ?? asking; });
  by("items-more").addEventListener("click", more);
  by("items-list").addEventListener("keydown", (event) => {
    const row = event.target.closest("tr");
    const to = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
    const button = to?.querySelector("button");
    if (!button) return;
    event.preventDefault();
    button.focus();
  });
  on("subject", build);
  on("choose", show);
})();
