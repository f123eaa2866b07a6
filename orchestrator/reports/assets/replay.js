"use strict";

function drawReplayCourse() {
  const { course, random, title, nSeeds } = DATA, n = Math.max(course.median.length, random.length);
  if (!n) return empty("course", "Nothing was replayed.");
  const along = values => values.map((v, i) => [i + 1, v]);
  // A polygon: stacked areas cannot lie between values of either sign.
  const edge = [...along(course.low), ...along(course.high).reverse()];
  const band = { type: "custom", name: "quartiles", silent: true, clip: true, z: 1, data: edge.length ? [[1, course.low[0]]] : [],
    itemStyle: { color: "#cfe3f0" }, renderItem: (_, api) => ({ type: "polygon",
      shape: { points: edge.map(p => api.coord(p)) }, style: { fill: "#cfe3f0" } }) };
  const all = [...course.low, ...course.high, ...random];
  const low = least(all), high = most(all), pad = 0.05 * (high - low || 1);
  const places = Number.isFinite(low) ? { min: niceEnd(low - pad, high - low, false), max: niceEnd(high + pad, high - low, true) } : {};
  draw("course", {
    grid: { left: 72, right: 20, top: 40, bottom: 48 },
    legend: { top: 0, textStyle: { color: INK }, data: ["planner, median", "quartiles", "random choice, expected"] },
    xAxis: axis("experiments", { min: 0, max: n + 1, minInterval: 1, splitLine: { show: false },
      axisLabel: { color: DIM, showMaxLabel: false, formatter: tick } }),
    yAxis: vertical(title, places),
    tooltip: { trigger: "axis", confine: true, formatter: found => replayTip(found[0].axisValue, title, nSeeds) },
    series: [
      band,
      { name: "planner, median", type: "line", step: "end", symbol: "none", data: along(course.median), z: 3,
        lineStyle: { color: BLUE, width: 2.5 }, itemStyle: { color: BLUE } },
      { name: "random choice, expected", type: "line", symbol: "none", data: along(random), z: 2,
        lineStyle: { color: INK, width: 1.5, type: "dashed" }, itemStyle: { color: INK } },
    ],
  }, n > 3000);
}

function niceEnd(value, span, up) {
  const step = 10 ** Math.floor(Math.log10(span || Math.abs(value) || 1)) / 2;
  return (up ? Math.ceil(value / step) : Math.floor(value / step)) * step;
}

function replayTip(n, title, nSeeds) {
  const { course, random } = DATA, i = n - 1;
  const planner = course.median[i] === undefined ? "" :
    `<br>planner: ${shown(course.median[i])} (${shown(course.low[i])} to ${shown(course.high[i])}, ${nSeeds} seeds)`;
  const chance = random[i] === undefined ? "" : `<br>random: ${shown(random[i])}`;
  return `<b>after ${n} experiments</b>, ${text(title)}${planner}${chance}`;
}

function drawNeeded() {
  const found = DATA.needed.filter(goal => goal.values.length);
  if (!found.length) return empty("needed", "No seed reached a goal.");
  const node = document.getElementById("needed");
  node.style.height = 70 * found.length + 80 + "px";
  // Points of equal value stand beside each other, the same way every time.
  const points = found.flatMap((goal, row) => {
    const seen = {};
    return goal.values.map(v => {
      seen[v] = (seen[v] || 0) + 1;
      const k = seen[v];
      return [v, row, (k % 2 ? 1 : -1) * Math.floor(k / 2) * 6];
    });
  });
  draw(node, {
    grid: { left: 190, right: 24, top: 10, bottom: 50 },
    xAxis: axis("experiments needed", { min: 0, scale: false, minInterval: 1 }),
    yAxis: { type: "category", data: found.map(goal => goal.goal), inverse: true, axisTick: { show: false },
      axisLabel: { color: INK, fontSize: 13, lineHeight: 17, width: 170, overflow: "break" }, axisLine: { lineStyle: { color: DIM } } },
    tooltip: { confine: true, formatter: p => `${p.value[0]} experiments` },
    series: [
      { type: "scatter", symbol: "circle", itemStyle: { color: BLUE, opacity: 0.7 }, symbolSize: 8,
        data: points.map(p => ({ value: [p[0], p[1]], symbolOffset: [0, Math.max(-27, Math.min(27, p[2]))] })) },
      { type: "scatter", symbol: "rect", symbolSize: [3, 52], itemStyle: { color: ORANGE }, z: 3,
        data: found.flatMap((goal, row) => goal.median === null ? [] : [[goal.median, row]]) },
    ],
  });
}

drawReplayCourse();
drawNeeded();
document.body.dataset.drawn = "yes";
