"use strict";
/* A panel for people and for each judge; plotly draws them, and marks lie on top so that choosing an item redraws nothing. */
(() => {
  const { make, subjects, state, on, figure, largest, computed } = JudgeHarness;
  const MARGIN = { l: 26, r: 26, t: 22, b: 26 };
  const SYMBOLS = ["circle", "triangle-up", "square", "diamond"];
  const MANY = 600;
  const HEX = 1 / 40;
  const ROOT = Math.sqrt(3) / 2;
  const holder = document.getElementById("panels");
  const shape = document.getElementById("points-as");
  const lines = document.getElementById("lines");
  const stretch = document.getElementById("stretch");
  let panels = [];

  /* Text in a plot may hold a few tags of plotly's own: what comes from data holds none. */
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  /* Where the triangle lies in a panel: plotly fits the largest one into what the margins leave. */
  function triangle(width, height) {
    const [w, h] = [width - MARGIN.l - MARGIN.r, height - MARGIN.t - MARGIN.b];
    const side = Math.min(w, h / ROOT);
    return { x: MARGIN.l + (w - side) / 2, y: MARGIN.t + (h - side * ROOT) / 2, side };
  }

  /* The second label is above, the first on the left, the third on the right. */
  const corners = (rows) => ({ a: rows.map((row) => row?.[1] ?? null), b: rows.map((row) => row?.[0] ?? null), c: rows.map((row) => row?.[2] ?? null) });

  /* A place off the line, the same for the same item, so that points of two labels do not hide each other. */
  const jitter = (item) => (((item + 1) * 0.6180339887) % 1) * 0.8 + 0.1;

  const KINDS = {
    triangle: {
      trace: (rows) => ({ type: "scatterternary", ...corners(rows) }),
      place: (row, item, width, height) => {
        const { x, y, side } = triangle(width, height);
        return [x + side * (row[2] + row[1] / 2), y + side * ROOT * (1 - row[1])];
      },
      layout: (labels, width, height) => {
        const axis = { title: { text: "" }, tickvals: [0.25, 0.5, 0.75], showticklabels: false, ticklen: 0, gridcolor: computed("--line"), linecolor: computed("--dim") };
        const { x, y, side } = triangle(width, height);
        const [w, h] = [width - MARGIN.l - MARGIN.r, height - MARGIN.t - MARGIN.b];
        // Labels end where the panel does, so that long ones are not cut off.
        const name = (text, left, top, xanchor, yanchor) => ({
          text: plain(text), x: (left - MARGIN.l) / w, y: 1 - (top - MARGIN.t) / h, xref: "paper", yref: "paper", xanchor, yanchor, showarrow: false, font: { size: 12 },
        });
        const below = y + side * ROOT + 4;
        return {
          ternary: { sum: 1, bgcolor: "rgba(0,0,0,0)", aaxis: axis, baxis: axis, caxis: axis },
          annotations: [name(labels[1], x + side / 2, y - 3, "center", "bottom"), name(labels[0], 2, below, "left", "top"), name(labels[2], width - 2, below, "right", "top")],
        };
      },
    },
    line: {
      trace: (rows, items) => ({ type: "scatter", x: rows.map((row) => row?.[1] ?? null), y: items.map((item) => (item === null ? null : jitter(item))) }),
      place: (row, item, width, height) => [
        MARGIN.l + (width - MARGIN.l - MARGIN.r) * ((row[1] + 0.03) / 1.06),
        MARGIN.t + (height - MARGIN.t - MARGIN.b) * (1 - jitter(item)),
      ],
      layout: (labels) => ({
        xaxis: { range: [-0.03, 1.03], fixedrange: true, tickvals: [0, 0.5, 1], ticktext: [plain(labels[0]), "", plain(labels[1])], gridcolor: computed("--line"), zeroline: false },
        yaxis: { range: [0, 1], fixedrange: true, visible: false },
      }),
    },
    bars: {
      layout: (labels) => ({
        barmode: "group",
        xaxis: { fixedrange: true, tickvals: labels.map((_, place) => place), ticktext: labels.map(plain), range: [-0.5, labels.length - 0.5] },
        yaxis: { range: [0, 1], fixedrange: true, gridcolor: computed("--line") },
      }),
    },
  };

  /* How far a judge's distributions can be drawn apart, all alike from the even one, until one reaches an edge. */
  function stretchOf(rows) {
    const there = rows.filter(isThere);
    const low = Math.min(...there.map((row) => Math.min(...row)));
    const even = 1 / (there[0]?.length ?? 1);
    return there.length && low < even ? even / (even - low) : 1;
  }

  const kindOf = (labels) => (labels.length === 3 ? "triangle" : labels.length === 2 ? "line" : "bars");
  const isThere = (row) => !row.some(Number.isNaN);

  function pointTraces(panel, subject) {
    const { rows, human } = panel;
    return subject.labels.map((label, place) => {
      const items = rows.map((_, item) => item).filter((item) => isThere(rows[item]) && largest(human[item]) === place);
      return {
        ...KINDS[panel.kind].trace(items.map((item) => rows[item]), items),
        mode: "markers", customdata: items, hoverinfo: "none", name: plain(label), showlegend: false,
        marker: { size: 6, symbol: SYMBOLS[place % 4], color: computed(`--label-${place % 4}`), opacity: rows.length > 200 ? 0.55 : 0.8 },
      };
    });
  }

  function lineTrace(panel) {
    const [rows, items] = [[], []];
    panel.rows.forEach((row, item) => {
      if (!isThere(row)) return;
      rows.push(panel.human[item], row, null);
      items.push(item, item, null);
    });
    return { ...KINDS[panel.kind].trace(rows, items), mode: "lines", hoverinfo: "skip", showlegend: false, line: { width: 0.6, color: computed("--dim") }, opacity: 0.5 };
  }

  /* Hexagons of equal size, as dark as they hold items; a hexagon stands for the item nearest to its middle. */
  function densityTrace(panel, width, height) {
    const cells = new Map();
    panel.rows.forEach((row, item) => {
      if (!isThere(row)) return;
      const [x, y] = [row[2] + row[1] / 2, row[1] * ROOT];
      const line = Math.round(y / (1.5 * HEX));
      const shift = line % 2 ? 0.5 : 0;
      const column = Math.round(x / (2 * ROOT * HEX) - shift);
      const middle = [(column + shift) * 2 * ROOT * HEX, line * 1.5 * HEX];
      const far = Math.hypot(x - middle[0], y - middle[1]);
      const key = `${line} ${column}`;
      const cell = cells.get(key) ?? { count: 0, middle, item, far };
      cell.count += 1;
      if (far < cell.far) Object.assign(cell, { item, far });
      cells.set(key, cell);
    });
    const found = [...cells.values()];
    const most = Math.max(...found.map((cell) => cell.count));
    const rows = found.map(({ middle: [x, y] }) => {
      const above = Math.max(0, y / ROOT);
      const right = Math.max(0, x - above / 2);
      return [Math.max(0, 1 - above - right), above, right];
    });
    const side = triangle(width, height).side;
    return {
      ...KINDS.triangle.trace(rows), mode: "markers", customdata: found.map((cell) => cell.item), hoverinfo: "none", showlegend: false, cliponaxis: false,
      marker: { symbol: "hexagon", size: 2 * HEX * side, color: computed("--heat"), opacity: found.map((cell) => 0.15 + 0.85 * Math.sqrt(cell.count / most)), line: { width: 0 } },
    };
  }

  function barTraces(panel, subject) {
    const mean = (rows) => subject.labels.map((_, place) => rows.filter(isThere).reduce((sum, row) => sum + row[place], 0) / Math.max(1, rows.filter(isThere).length));
    const bar = (rows, name, colour) => ({ type: "bar", x: subject.labels.map((_, place) => place), y: mean(rows), name, hoverinfo: "none", showlegend: false, marker: { color: computed(colour) } });
    const people = bar(panel.human, "people", "--dim");
    return panel.judge === null ? [people] : [people, bar(panel.rows, "judge", "--heat")];
  }

  function traces(panel, subject, width, height) {
    if (panel.kind === "bars") return barTraces(panel, subject);
    const dots = panel.kind === "triangle" && shape.value === "density" ? [densityTrace(panel, width, height)] : pointTraces(panel, subject);
    return lines.checked && panel.judge !== null ? [lineTrace(panel), ...dots] : dots;
  }

  function draw(panel) {
    const subject = subjects[state.subject];
    const factor = stretch.checked && panel.judge !== null && panel.kind !== "bars" ? stretchOf(panel.own) : 1;
    const even = 1 / subject.labels.length;
    panel.rows = factor === 1 ? panel.own : panel.own.map((row) => row.map((share) => Math.max(0, even + factor * (share - even))));
    panel.caption.textContent = factor > 1.05 ? `${panel.name} (stretched ×${factor.toLocaleString("en", { maximumSignificantDigits: 2 })})` : panel.name;
    const width = Math.floor(panel.stage.clientWidth);
    const height = Math.round(Math.min(width * 0.9, 330));
    Object.assign(panel, { width, height, drawn: true });
    const layout = {
      width, height, margin: MARGIN, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false, hovermode: "closest", showlegend: false,
      font: { color: computed("--ink"), size: 11 }, ...KINDS[panel.kind].layout(subject.labels, width, height),
    };
    Plotly.react(panel.plot, traces(panel, subject, width, height), layout, { displayModeBar: false, doubleClick: false, showTips: false });
    panel.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    panel.overlay.setAttribute("width", width);
    panel.overlay.setAttribute("height", height);
    if (!panel.listens) {
      panel.listens = true;
      const itemOf = (event) => event.points.find((each) => each.customdata !== undefined)?.customdata;
      panel.plot.on("plotly_hover", (event) => { const item = itemOf(event); if (item !== undefined) JudgeHarness.point(item); });
      panel.plot.on("plotly_unhover", () => JudgeHarness.point(null));
      panel.stage.addEventListener("click", () => { if (state.pointed !== null) JudgeHarness.choose(state.pointed); });
    }
    mark(panel);
  }

  const svg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  function mark(panel) {
    if (!panel.drawn) return;
    panel.overlay.replaceChildren();
    for (const item of new Set([state.item, state.pointed])) {
      if (item === null || panel.kind === "bars" || !isThere(panel.rows[item])) continue;
      const to = KINDS[panel.kind].place(panel.rows[item], item, panel.width, panel.height);
      if (panel.judge !== null) {
        const from = KINDS[panel.kind].place(panel.human[item], item, panel.width, panel.height);
        panel.overlay.append(svg("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }), svg("circle", { class: "from", cx: from[0], cy: from[1], r: 3.5 }));
      }
      panel.overlay.append(svg("circle", { class: "ring", cx: to[0], cy: to[1], r: 6.5 }));
    }
  }

  function tellPoint() {
    const subject = subjects[state.subject];
    const item = state.pointed ?? state.item;
    const text = item === null ? "" : `${subject.uids[item]}: people ${subject.human.row(item).map((value, place) => `${subject.labels[place]} ${figure(value)}`).join(", ")}`;
    document.getElementById("points-readout").textContent = text;
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const panel = panels.find((each) => each.stage === entry.target);
      if (entry.isIntersecting && panel && !panel.drawn) draw(panel);
    }
  }, { rootMargin: "300px" });

  function panelOf(name, judge, subject) {
    const plot = make("div", { class: "plot" });
    const overlay = svg("svg", { class: "overlay", "aria-hidden": "true" });
    const stage = make("div", { class: "stage", role: "img", "aria-label": `Distributions of ${name} over ${subject.labels.join(", ")}; the items below have the numbers` }, plot, overlay);
    stage.style.minHeight = "250px";
    const human = subject.uids.map((_, item) => subject.human.row(item));
    const rows = judge === null ? human : subject.uids.map((_, item) => judge.model.row(item));
    const caption = make("figcaption", {}, name);
    holder.append(make("figure", { class: "panel" }, caption, stage));
    return { name, caption, stage, plot, overlay, judge, human, own: rows, rows, kind: kindOf(subject.labels), drawn: false, listens: false };
  }

  function legend() {
    const subject = subjects[state.subject];
    const legendLine = document.getElementById("points-legend");
    if (kindOf(subject.labels) === "bars") {
      legendLine.textContent = "Means over items: people grey, the judge blue.";
      return;
    }
    if (shape.value === "density") {
      legendLine.textContent = "The darker a hexagon, the more items lie in it; it stands for the one nearest to its middle.";
      return;
    }
    const glyphs = ["●", "▲", "■", "◆"];
    legendLine.replaceChildren(...subject.labels.map((label, place) =>
      make("span", {}, make("span", { style: `color: ${JudgeHarness.colour(place)}` }, glyphs[place % 4]), ` most chose ${label}`)));
  }

  function build() {
    const subject = subjects[state.subject];
    watcher.disconnect();
    panels.forEach((panel) => { if (panel.drawn) Plotly.purge(panel.plot); });
    holder.replaceChildren();
    const kind = kindOf(subject.labels);
    shape.closest("label").hidden = kind !== "triangle";
    lines.closest("label").hidden = kind === "bars";
    stretch.closest("label").hidden = kind === "bars";
    stretch.checked = false;
    shape.value = kind === "triangle" && subject.uids.length > MANY ? "density" : "points";
    lines.checked = subject.uids.length <= 40;
    panels = [panelOf("people", null, subject), ...subject.judges.map((judge) => panelOf(judge.name, judge, subject))];
    panels.forEach((panel) => watcher.observe(panel.stage));
    legend();
    tellPoint();
  }

  const again = () => panels.filter((panel) => panel.drawn).forEach(draw);
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(again, 150); });
  addEventListener("beforeprint", () => panels.forEach(draw));
  shape.addEventListener("change", () => { legend(); again(); });
  lines.addEventListener("change", again);
  stretch.addEventListener("change", again);
  on("subject", build);
  on("theme", again);
  on("choose", () => { panels.forEach(mark); tellPoint(); });
  on("point", () => { panels.forEach(mark); tellPoint(); });
})();
