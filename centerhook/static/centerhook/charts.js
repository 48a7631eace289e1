// Lets people look closer at a chart: uPlot draws what the table behind it says.
"use strict";

(() => {
  const HEIGHT = 240;
  // The columns of a span of time take so much of their room.
  const SHARE = 0.7;

  function read(figure) {
    const heads = [...figure.querySelectorAll("thead th")].slice(1);
    const rows = [...figure.querySelectorAll("tbody tr")].reverse();
    return {
      names: heads.map((head) => head.textContent),
      colours: heads.map((head) => head.dataset.colour),
      starts: rows.map((row) => Number(row.dataset.start)),
      counts: heads.map((_, index) =>
        rows.map((row) => Number(row.cells[index + 1].textContent.replace(/\D/g, ""))),
      ),
    };
  }

  // Each series drawn from the foot up, the tallest first, so that later ones cover it.
  function stacked(counts) {
    const sums = [];
    counts.forEach((series, index) => {
      const below = sums[index - 1];
      sums.push(series.map((count, at) => count + (below ? below[at] : 0)));
    });
    return sums.reverse();
  }

  // A colour as the style sheet has it now, light or dark, read from the legend.
  function colourOf(figure, name) {
    const swatch = figure.querySelector(`.swatch.${name}`);
    return getComputedStyle(swatch || figure)[swatch ? "backgroundColor" : "color"];
  }

  function options(figure, data, width) {
    const style = getComputedStyle(document.documentElement);
    const quiet = style.getPropertyValue("--quiet").trim();
    const line = style.getPropertyValue("--line").trim();
    const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
    const bars = uPlot.paths.bars({ size: [SHARE, 40], align: 1 });
    const zone = figure.dataset.zone;
    return {
      width,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { show: false } },
      scales: { y: { range: (_, low, high) => [0, Math.max(2, high)] } },
      axes: [
        { ...axis, values: [
          [86400, "{D} {MMM}", null, null, null, null, null, null, 1],
          [3600, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
        ] },
        { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7],
          values: (_, marks) => marks.map((mark) => mark.toLocaleString("en-US")), size: 60 },
      ],
      series: [
        {},
        ...[...data.names].reverse().map((label, index) => {
          const fill = colourOf(figure, data.colours[data.names.length - 1 - index]);
          return { label, fill, stroke: fill, width: 0, paths: bars, points: { show: false } };
        }),
      ],
    };
  }

  function helpFor(showAll) {
    const help = document.createElement("p");
    help.className = "zoom-help";
    help.textContent = "Drag over a part of the chart to look closer.";
    const all = document.createElement("button");
    all.type = "button";
    all.className = "pill hidden";
    all.textContent = "Show all again";
    all.addEventListener("click", showAll);
    help.append(" ", all);
    return help;
  }

  function enliven(figure) {
    const drawn = figure.querySelector(".plot");
    const data = read(figure);
    if (data.starts.length < 2) return;
    // The last column needs room too.
    const [first, second] = data.starts;
    const starts = [...data.starts, data.starts[data.starts.length - 1] + second - first];
    const values = [starts, ...stacked(data.counts).map((sums) => [...sums, null])];
    const room = document.createElement("div");
    room.className = "zoomed";
    room.setAttribute("role", "img");
    room.setAttribute("aria-label", drawn.querySelector("svg").getAttribute("aria-label"));
    let plot = null;
    const whole = { min: starts[0], max: starts[starts.length - 1] };
    const help = helpFor(() => plot.setScale("x", whole));
    const button = help.querySelector("button");
    const draw = () => {
      if (plot) plot.destroy();
      const given = options(figure, data, figure.clientWidth);
      given.hooks = { setScale: [(u) => {
        const { min, max } = u.scales.x;
        button.classList.toggle("hidden", min <= whole.min && max >= whole.max);
      }] };
      plot = new uPlot(given, values, room);
    };
    drawn.after(room, help);
    draw();
    drawn.classList.add("hidden");
    figure.querySelector(".moments").classList.add("hidden");
    new ResizeObserver(() => {
      if (plot.width !== figure.clientWidth) {
        plot.setSize({ width: figure.clientWidth, height: HEIGHT });
      }
    }).observe(figure);
    // Another theme has other colours.
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("figure[data-zoom]").forEach(enliven);
  });
})();
