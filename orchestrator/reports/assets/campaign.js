"use strict";
const KINDS = {
  feasible: { name: DATA.course.constrained ? "constraints met" : "measured", symbol: "circle", color: BLUE, size: 9 },
  lower_fidelity: { name: "at a lower fidelity", symbol: "emptyRect", color: DIM, size: 8 },
  infeasible: { name: "constraints not met", symbol: "emptyDiamond", color: DIM, size: 10 },
  bound: { name: "out of range (a bound)", symbol: "triangle", color: PURPLE, size: 11 },
  in_flight: { name: "not complete", symbol: "emptyCircle", color: SKY, size: 9 },
};
const CROSS = "path://M0,1 L1,0 L4,3 L7,0 L8,1 L5,4 L8,7 L7,8 L4,5 L1,8 L0,7 L3,4 Z";
const STAR = "path://M5,0 L6.2,3.6 L10,3.6 L6.9,5.9 L8.1,9.5 L5,7.3 L1.9,9.5 L3.1,5.9 L0,3.6 L3.8,3.6 Z";

// A trial as [number, value, standing, sd, censored]; x gives its abscissa.
function points(values, kind, x) {
  return values.filter(v => (v[4] ? "bound" : v[2]) === kind && v[1] !== null && v[0] !== DATA.course.bestTrial)
    .map(v => ({ value: [x(v), v[1], v[0]], symbolRotate: v[4] === "below" ? 180 : 0 }));
}

function kindSeries(values, x, small) {
  return Object.entries(KINDS).map(([kind, look]) => ({
    name: look.name, type: "scatter", data: points(values, kind, x), symbol: look.symbol,
    symbolSize: values.length > 1500 ? 3.5 : look.size - (small ? 2 : 0), itemStyle: { color: look.color, opacity: 0.85 },
  })).filter(series => series.data.length);
}

function drawCourse() {
  const course = DATA.course, values = course.values;
  if (!values.length) return empty("course", "No trial was proposed yet.");
  const many = values.length > 1500;
  const measured = values.filter(v => v[1] !== null);
  const strip = course.direction === "maximise" ? 0.04 : 0.96; // away from the good values
  const failed = values.filter(v => v[2] === "failed" || v[2] === "no_value").map(v => [v[0], strip, v[0]]);
  if (!measured.length && !failed.length) return empty("course", "No trial has a value yet.");
  const best = measured.find(v => v[0] === course.bestTrial);
  const initial = course.nInitial && { silent: true, itemStyle: { color: "#f4f6f8" },
    label: { show: true, position: [2, -16], color: DIM, formatter: "initial design" },
    data: [[{ xAxis: 0.5 }, { xAxis: course.nInitial + 0.5 }]] };
  const series = kindSeries(values, v => v[0], false);
  series.unshift({ name: "best so far", type: "line", step: "end", symbol: "none", z: many ? 4 : 1,
    lineStyle: { color: INK, width: 2 }, itemStyle: { color: INK }, markArea: initial || undefined,
    markLine: course.direction === "match" ? { silent: true, symbol: "none", label: { show: false },
      lineStyle: { color: GREEN, type: "dashed" }, data: course.band.filter(b => b !== null).map(b => ({ yAxis: b })) } : undefined,
    data: values.map((v, i) => [v[0], course.best[i]]), tooltip: { show: false } });
  if (failed.length) series.push({ name: "failed", type: "scatter", yAxisIndex: 1, data: failed,
    symbol: CROSS, symbolSize: 10, itemStyle: { color: RED } });
  if (best) series.push({ name: "best", type: "scatter", data: [[best[0], best[1], best[0]]], z: 5,
    symbol: STAR, symbolSize: 22, itemStyle: { color: ORANGE, borderColor: INK, borderWidth: 1 } });
  const rows = Object.fromEntries(values.map(v => [v[0], v]));
  draw("course", {
    grid: { left: 72, right: 20, top: 56, bottom: 48 },
    legend: { type: "scroll", top: 0, left: "center", textStyle: { color: INK }, itemWidth: 18 },
    xAxis: axis("trial", { min: 0, max: values[values.length - 1][0] + 1, minInterval: 1, splitLine: { show: false },
      axisLabel: { color: DIM, showMaxLabel: false, formatter: tick } }),
    yAxis: [vertical(course.title, scaleOf(measured.map(v => v[1]), course.log)),
      { type: "value", min: 0, max: 1, show: false }],
    tooltip: { trigger: "item", confine: true, formatter: p => courseTip(rows[p.value[2]]) },
    series,
  }, many);
}

function drawFront() {
  if (!DATA.front) return undefined;
  const { titles, logs, points } = DATA.front;
  if (!points.length) return empty("front", "No trial has a value of both goals yet.");
  const look = [["on the front", "best", STAR, 18, ORANGE], ["other trials", "other", "circle", 8, BLUE],
    ["failed, or constraints not met", "aside", "emptyDiamond", 8, DIM]];
  return draw("front", {
    grid: { left: 72, right: 20, top: 40, bottom: 50 },
    legend: { top: 0, left: "center", textStyle: { color: INK } },
    xAxis: axis(titles[0], scaleOf(points.map(p => p[1]), logs[0])),
    yAxis: vertical(titles[1], scaleOf(points.map(p => p[2]), logs[1])),
    tooltip: { confine: true, formatter: p => `<b>trial ${p.data[2]}</b><br>${text(titles[0])}: ${shown(p.data[0])}` +
      `<br>${text(titles[1])}: ${shown(p.data[1])}` },
    series: look.map(([name, kind, symbol, symbolSize, color]) => ({ name, type: "scatter", symbol, symbolSize,
      itemStyle: { color, opacity: 0.85 }, data: points.filter(p => p[3] === kind).map(p => [p[1], p[2], p[0]]) }))
      .filter(series => series.data.length),
  }, points.length > 1500);
}

function drawVolume() {
  const points = DATA.volume;
  if (!points) return undefined;
  return draw("volume", {
    grid: { left: 72, right: 20, top: 16, bottom: 48 },
    xAxis: axis("trial", { min: 0, max: points[points.length - 1][0] + 1, minInterval: 1, splitLine: { show: false },
      axisLabel: { color: DIM, showMaxLabel: false, formatter: tick } }),
    yAxis: vertical("dominated hypervolume, %", { min: 0, max: 100 }),
    tooltip: { trigger: "axis", formatter: p => `trial ${p[0].data[0]}: ${shown(Number(p[0].data[1].toPrecision(3)))} %` },
    series: [{ type: "line", step: "end", showSymbol: false, lineStyle: { color: INK, width: 2 },
      data: points.map(p => [p[0], 100 * p[1]]) }],
  }, points.length > 1500);
}

function courseTip(row) {
  const [trial, value, kind, sd, censored] = row;
  const bound = { above: "> ", below: "< " }[censored] || "";
  const spread = sd ? " ± " + shown(Number(sd.toPrecision(2))) : "";
  const name = KINDS[kind] ? KINDS[kind].name : kind.replaceAll("_", " ");
  const line = value === null ? "" : `<br>${text(DATA.course.title)}: ${bound}${shown(value)}${spread}`;
  return `<b>trial ${trial}</b>: ${name}${line}`;
}

const MOST_AXES = 24;
const FIXED = 5; // trial, value, standing, sd, censored; then the parameters

function parameterAxis(parameter, index) {
  if (parameter.options.length) return { type: "category", data: parameter.options };
  const values = DATA.parameters.rows.map(row => row[index + FIXED]);
  const ends = parameter.low === null ? [least(values), most(values)] : [parameter.low, parameter.high];
  if (ends[0] === ends[1]) return { type: "value" };
  return { type: parameter.log ? "log" : "value", min: ends[0], max: ends[1] };
}

// More words than can be told apart along an axis are counted.
function counted(parameter) {
  const n = parameter.options.length;
  return n > MOST_WORDS ? `${parameter.title} (${n} of them)` : parameter.title;
}

function drawMultiples() {
  const { axes, rows } = DATA.parameters, course = DATA.course;
  const place = document.getElementById("multiples");
  const many = rows.length * axes.length > 3000;
  axes.slice(0, MOST_AXES).forEach((parameter, index) => {
    const node = place.appendChild(document.createElement("div"));
    node.className = "chart";
    const at = Object.fromEntries(rows.map(row => [row[0], row[index + FIXED]]));
    const values = rows.map(row => row.slice(0, FIXED));
    const series = kindSeries(values, v => at[v[0]], true);
    const best = rows.find(row => row[0] === course.bestTrial);
    if (best) series.push({ type: "scatter", data: [[best[index + FIXED], best[1], best[0]]], symbol: STAR, z: 5,
      symbolSize: 18, itemStyle: { color: ORANGE, borderColor: INK, borderWidth: 1 } });
    const words = parameter.options.length ? wordsAlong(parameter.options, node.clientWidth - 78) : {};
    draw(node, {
      grid: { left: 64, right: 14, top: 10, bottom: words.nameGap ? 80 : 46 },
      xAxis: axis(counted(parameter), { ...parameterAxis(parameter, index), splitLine: { show: false }, ...words }),
      yAxis: vertical(course.title, { nameGap: 46, ...scaleOf(values.map(v => v[1]), course.log),
        nameTextStyle: { fontSize: 11, color: INK } }),
      tooltip: { confine: true, formatter: p => `<b>trial ${p.value[2]}</b><br>${text(parameter.title)}: ` +
        `${typeof p.value[0] === "string" ? text(p.value[0]) : shown(p.value[0])}<br>${text(course.title)}: ${shown(p.data[1])}` },
      series,
    }, many);
  });
}

function drawParallel() {
  const { axes, rows, nLines, nMeasured } = DATA.parameters, course = DATA.course;
  if (!rows.length) {
    empty("parallel", "No trial has a value yet.");
    return document.getElementById("multiples").remove();
  }
  const part = nMeasured > rows.length ? ` Drawn above: the best ${nLines} of ${nMeasured.toLocaleString("en")} and an ` +
    `even sample of the others; below: the best ${nLines}.` : "";
  const which = axes.length > MOST_AXES ? `the first ${MOST_AXES} of ${axes.length} parameters` : "each parameter";
  const best = course.bestTrial === null ? "" : ", the best is orange";
  const metric = course.title.replace(/ \[.*$/, "");
  document.getElementById("parameters-caption").textContent = `Above: the measured ${metric} against ${which}. ` +
    `Below: one line per trial, dark ones have a good ${metric}${best}; drag along an axis to select.` + part;
  const ranked = rows.slice(0, nLines).map((row, rank) => [row[0], [...row.slice(FIXED), row[1], rank]]);
  const lines = ranked.filter(entry => entry[0] !== course.bestTrial).map(entry => entry[1]);
  const star = ranked.filter(entry => entry[0] === course.bestTrial).map(entry => entry[1]);
  const last = axes.length;
  const label = { color: DIM, textBorderColor: "#fff", textBorderWidth: 3 };
  const title = { nameGap: 14, nameTextStyle: { color: INK, fontSize: 12 }, axisLabel: { ...label, formatter: tick } };
  const node = document.getElementById("parallel");
  node.style.minWidth = `${Math.max(620, 75 * axes.length)}px`;
  const apart = (node.clientWidth - 140) / axes.length;
  const room = Math.max(40, Math.min(180, apart - 14));
  const named = name => fitted(apart < 100 ? name.replace(/ \[.*$/, "") : name, Math.min(140, apart - 6), title.nameTextStyle);
  draw("parallel", {
    parallel: { left: 70, right: 70, top: 44, bottom: 20 },
    parallelAxis: [...axes.map((a, i) => ({ dim: i, name: named(counted(a)), ...title, ...parameterAxis(a, i),
      ...(a.options.length ? { axisTick: { show: a.options.length <= MOST_WORDS },
        axisLabel: { ...label, show: a.options.length <= MOST_WORDS, width: room, overflow: "truncate" } } : {}) })),
      { dim: last, name: named(course.title), type: "value", ...scaleOf(rows.slice(0, nLines).map(r => r[1]), course.log), ...title, minorTick: { show: false }, scale: true }],
    visualMap: { show: false, dimension: last + 1, min: 0, max: ranked.length, seriesIndex: 0,
      inRange: { color: ["#003f73", BLUE, SKY, "#a9c8dc", "#ccd5dc", "#dfe3e6"] } },
    tooltip: { show: false },
    series: [
      { type: "parallel", data: lines, lineStyle: { width: 1.4, opacity: lines.length > 200 ? 0.25 : 0.6 }, z: 1 },
      { type: "parallel", data: star, lineStyle: { width: 4, opacity: 1, color: ORANGE }, z: 3 },
    ],
  }, rows.length > 300);
}

const OUTCOMES = { failed: RED, doubt: PURPLE, running: GREEN, not_done: GREY };

function drawTimeline() {
  const { lanes, bars, span } = DATA.timeline;
  if (!bars.length) return empty("timeline", "No action was dispatched yet.");
  const [unit, size] = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]].find(u => span > 4 * u[1]) || ["s", 1];
  const node = document.getElementById("timeline");
  node.style.height = 22 * lanes.length + 106 + "px";
  const items = bars.map(b => [b[1] / size, b[2] / size, b[0], b[3], b[4], b[5], b[2] > b[1] ? b[6] / (b[2] - b[1]) : 1, b[7]]);
  const cut = name => name.length > 30 ? name.slice(0, 29) + "…" : name;
  const longest = most(lanes.map(lane => cut(lane.name).length));
  draw(node, {
    grid: { left: Math.max(160, 7.5 * longest + 50), right: 20, top: 6, bottom: 76 },
    xAxis: axis(`campaign time [${unit}]`, { min: 0, max: span / size, scale: false,
      axisLabel: { color: DIM, showMaxLabel: false, formatter: tick } }),
    yAxis: { type: "category", inverse: true, data: lanes.map((_, i) => i), axisTick: { show: false },
      axisLine: { lineStyle: { color: DIM } }, splitLine: { show: true, lineStyle: { color: "#edf0f3" } },
      axisLabel: { color: INK, fontSize: 12, interval: 0, formatter: i => {
        const lane = lanes[i], share = `{dim|${Math.round(100 * lane.busy)} %}`;
        return `{${lane.inner ? "dim" : "strong"}|${cut(lane.name)}}  ${share}`;
      }, rich: { dim: { color: DIM, fontSize: 11 }, strong: { color: INK, fontWeight: 600 } } } },
    dataZoom: [{ type: "inside", filterMode: "weakFilter" },
      { type: "slider", height: 16, bottom: 6, filterMode: "weakFilter", showDetail: false }],
    tooltip: { confine: true, formatter: p => barTip(p.data, lanes, unit) },
    series: [{ type: "custom", clip: true, data: items, encode: { x: [0, 1], y: 2 }, renderItem: renderBar(lanes) }],
  }, bars.length > 1500);
}

function renderBar(lanes) {
  return (parameters, api) => {
    const lane = api.value(2), inner = lanes[lane].inner, trial = api.value(3), outcome = api.value(5);
    const from = api.coord([api.value(0), lane]), to = api.coord([api.value(1), lane]);
    const height = api.size([0, 1])[1] * (inner ? 0.45 : 0.72);
    const box = parameters.coordSys;
    const shape = echarts.graphic.clipRectByRect(
      { x: from[0], y: from[1] - height / 2, width: Math.max(1, to[0] - from[0]), height },
      { x: box.x, y: box.y, width: box.width, height: box.height });
    if (!shape) return undefined;
    const plain = trial % 2 ? (inner ? "#8fb8d4" : BLUE) : (inner ? "#b9d9ec" : SKY);
    const rect = { type: "rect", shape, style: { fill: OUTCOMES[outcome] || plain, opacity: Math.max(0.12, api.value(6)) } };
    if (inner || !(trial > 0) || shape.width < 16) return rect;
    return { type: "group", children: [rect, { type: "text", silent: true, style: {
      text: String(trial), x: shape.x + shape.width / 2, y: shape.y + shape.height / 2, align: "center",
      verticalAlign: "middle", fontSize: 10, fill: trial % 2 || OUTCOMES[outcome] ? "#fff" : INK } }] };
  };
}

function barTip(bar, lanes, unit) {
  const [start, end, lane, trial, action, outcome, share, n] = bar;
  const who = `<b>${text(lanes[lane].name)}</b>: ${text(action)}` + (n > 1 ? ` (${n} actions, ${Math.round(100 * share)} % busy)` : "");
  const which = trial === null ? "" : `<br>trial ${trial}`;
  return `${who}${which}<br>${shown(start)} to ${shown(end)} ${unit}, ${outcome.replace("_", " ")}`;
}

const PAGE_ROWS = 300;

function sortKey(cell) {
  return Array.isArray(cell) ? cell[0] : cell;
}

function drawTable() {
  const { columns, rows, why } = DATA.table, place = document.getElementById("trials");
  if (!rows.length) return empty("trials", "No trial was proposed yet.");
  let shownRows = PAGE_ROWS, sorted = 0, rising = true;
  const order = rows.map((row, i) => [row, why[i]]);
  const table = place.appendChild(document.createElement("table"));
  const head = table.createTHead().insertRow();
  columns.forEach((column, index) => {
    const cell = head.appendChild(document.createElement("th"));
    cell.className = column.number ? "number" : "";
    const button = cell.appendChild(document.createElement("button"));
    button.textContent = column.title;
    button.onclick = () => {
      rising = sorted === index ? !rising : true;
      sorted = index;
      order.sort((a, b) => compare(sortKey(a[0][index]), sortKey(b[0][index]), rising));
      [...head.cells].forEach((th, i) => i === index
        ? th.setAttribute("aria-sort", rising ? "ascending" : "descending") : th.removeAttribute("aria-sort"));
      fill();
    };
  });
  const more = document.getElementById("more");
  function fill() {
    table.replaceChildren(table.tHead, ...order.slice(0, shownRows).map(entry => trialRows(...entry, columns)));
    more.replaceChildren();
    if (order.length <= shownRows) return;
    const button = more.appendChild(document.createElement("button"));
    button.textContent = `Show all ${order.length.toLocaleString("en")} trials (${shownRows} are shown)`;
    button.onclick = () => { shownRows = order.length; fill(); };
  }
  fill();
}

function compare(a, b, rising) {
  if ((a === "") !== (b === "")) return a === "" ? 1 : -1; // empty cells stay below
  const difference = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return rising ? difference : -difference;
}

// Two lines a trial: its numbers, and beneath them why the point was chosen.
function trialRows(row, why, columns) {
  const group = document.createElement("tbody"), line = group.insertRow();
  group.className = String(row[1]).startsWith("★") ? "best" : String(row[1]).startsWith("failed") ? "failed" : "";
  row.forEach((cell, index) => {
    const node = line.insertCell();
    node.className = columns[index].number ? "number" : "";
    node.textContent = Array.isArray(cell) ? cell[1] : cell;
  });
  const reason = group.insertRow();
  reason.className = "why";
  reason.insertCell();
  const text = reason.insertCell();
  text.colSpan = columns.length - 1;
  text.textContent = why;
  return group;
}

[drawCourse, drawGain, drawFront, drawVolume, drawPredicted, drawLeaveOneOut, drawBelief, drawMultiples, drawParallel, drawTimeline, drawTable].forEach(f => f());
document.body.dataset.drawn = "yes";
