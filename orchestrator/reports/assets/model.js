"use strict";
// What the model expected, and what it holds for true.

function drawGain() {
  if (!DATA.gain) return undefined;
  const { title, log, points, enough } = DATA.gain;
  const values = points.map(p => p[1]).concat(enough === null ? [] : [enough]);
  return draw("gain", {
    grid: { left: 72, right: 20, top: 16, bottom: 48 },
    xAxis: axis("trial", { min: 0, max: points[points.length - 1][0] + 1, minInterval: 1, splitLine: { show: false },
      axisLabel: { color: DIM, showMaxLabel: false, formatter: tick } }),
    yAxis: vertical(title, log && isWide(values) ? scaleOf(values, true) : { min: 0, scale: false }),
    tooltip: { trigger: "axis", formatter: p => `trial ${p[0].data[0]}: ${shown(p[0].data[1])}` },
    series: [{ type: "line", data: points, symbolSize: 5, lineStyle: { color: GREEN, width: 2 },
      itemStyle: { color: GREEN }, showSymbol: points.length < 100,
      markLine: enough === null ? undefined : { silent: true, symbol: "none", lineStyle: { color: DIM, type: "dashed" },
        label: { formatter: "little to gain", position: "insideStartTop", color: DIM }, data: [{ yAxis: enough }] } }],
  }, points.length > 1500);
}

function drawPredicted() {
  const { title, log, points, n, nInside } = DATA.predicted;
  const caption = document.getElementById("predicted-caption");
  if (!n) return empty("predicted", "No trial that a model proposed was measured.");
  caption.textContent = `What the model expected before each measurement, with the 90 % interval of a measurement there. ` +
    `${nInside} of ${n} measured values (${Math.round(100 * nInside / n)} %) lie inside.` +
    (n > points.length ? ` ${points.length} are drawn.` : "");
  return drawAgainst("predicted", title, log, points, n);
}

// Predictions against measurements; a point is [trial, measured, predicted, low, high, is inside].
function drawAgainst(place, title, log, points, n) {
  const ends = points.flatMap(p => [p[1], p[2], p[3], p[4]]);
  const low = least(ends), high = most(ends), pad = 0.04 * (high - low || 1);
  const isLog = log && isWide(ends);
  const scale = isLog ? scaleOf(ends, true) : { min: low - pad, max: high + pad };
  const label = isLog ? {} : { axisLabel: { color: DIM, formatter: v => v === scale.min || v === scale.max ? "" : tick(v) } };
  const colour = p => p[5] ? BLUE : RED;
  const bar = { type: "custom", silent: true, data: points, encode: { x: 1, y: [3, 4] }, tooltip: { show: false },
    renderItem: (_, api) => {
      const top = api.coord([api.value(1), api.value(4)]), end = api.coord([api.value(1), api.value(3)]);
      return { type: "line", shape: { x1: top[0], y1: top[1], x2: end[0], y2: end[1] },
        style: { stroke: api.value(5) ? BLUE : RED, lineWidth: n > 500 ? 0.6 : 1.4, opacity: n > 500 ? 0.25 : 0.45 } };
    } };
  draw(place, {
    grid: { left: 72, right: 18, top: 16, bottom: 50 },
    xAxis: axis("measured " + title, { ...scale, ...label }),
    yAxis: vertical("predicted " + title, { ...scale, ...label }),
    tooltip: { confine: true, formatter: p => `<b>trial ${p.data[0]}</b><br>measured ${shown(p.data[1])}` +
      `<br>predicted ${shown(p.data[2])} (${shown(p.data[3])} to ${shown(p.data[4])})` },
    series: [
      { type: "line", silent: true, symbol: "none", lineStyle: { color: GREY, type: "dashed", width: 1.5 },
        data: [[scale.min, scale.min], [scale.max, scale.max]], tooltip: { show: false } },
      bar,
      { type: "scatter", data: points, encode: { x: 1, y: 2 }, symbolSize: n > 500 ? 4 : 8,
        symbol: "circle", itemStyle: { color: p => colour(p.data) } },
    ],
  }, n > 1500);
}

function drawLeaveOneOut() {
  const place = document.getElementById("leave-one-out");
  if (!DATA.leaveOneOut.length) return empty("leave-one-out", DATA.predicted.n ? "Too few values that count." : "No trial was proposed by a model.");
  const height = Math.max(170, 400 / DATA.leaveOneOut.length);
  DATA.leaveOneOut.forEach(series => {
    const node = place.appendChild(document.createElement("div"));
    node.className = "chart";
    node.style.height = height + "px";
    draw(node, {
      title: { text: series.metric, textStyle: { fontSize: 13, fontWeight: 600, color: INK }, left: 72, top: 0 },
      grid: { left: 72, right: 18, top: 30, bottom: 48 },
      xAxis: axis("trial", { minInterval: 1, splitLine: { show: false } }),
      yAxis: vertical(series.title, { min: 0 }),
      tooltip: { trigger: "axis", formatter: p => `trial ${p[0].data[0]}: ${shown(p[0].data[1])}` },
      series: [{ type: "line", data: series.points, symbolSize: 4, lineStyle: { color: PURPLE, width: 2 },
        itemStyle: { color: PURPLE }, showSymbol: series.points.length < 100 }],
    }, series.points.length > 1500);
  });
}

function drawBelief() {
  if (!DATA.belief) return undefined;
  const { metrics, slices, maps } = DATA.belief;
  metrics.forEach((metric, index) => {
    if (metric.points.length) drawAgainst(`left-out-${index}`, metric.title, metric.log, metric.points, metric.points.length);
    else empty(`left-out-${index}`, "Too few values.");
    drawImportance(document.getElementById(`importance-${index}`), metric.importance);
  });
  const ends = slices.flatMap(s => [...s.low, ...s.high, ...s.points.map(p => p[1])]);
  const scale = commonScale(ends, DATA.belief.log); // of all, so that heights can be compared
  slices.slice(0, MOST_AXES).forEach(slice => drawSlice(slice, scale));
  if (maps.length) drawMaps(maps[0]);
  return undefined;
}

function drawImportance(node, importance) {
  const shares = importance.slice(-15); // the most important ones, last
  node.style.height = Math.min(320, 70 + 34 * shares.length) + "px";
  draw(node, {
    grid: { left: 20, right: 48, top: 8, bottom: 44, containLabel: true },
    xAxis: axis("share", { min: 0, max: Math.max(1, most(shares.map(s => s[1]))), scale: false,
      axisLabel: { color: DIM, showMaxLabel: false, formatter: tick } }),
    yAxis: { type: "category", data: shares.map(s => s[0]), axisTick: { show: false },
      axisLine: { lineStyle: { color: DIM } }, axisLabel: { color: INK, fontSize: 12, width: 140, overflow: "truncate" } },
    tooltip: { confine: true, formatter: p => `${text(p.name)}: ${shown(p.value)}` },
    series: [{ type: "bar", data: shares.map(s => s[1]), barMaxWidth: 20, itemStyle: { color: BLUE },
      label: { show: true, position: "right", color: INK, formatter: p => p.value.toFixed(2) } }],
  });
}

function commonScale(ends, log) {
  if (log && isWide(ends)) return scaleOf(ends, true);
  const low = least(ends), high = most(ends), pad = 0.04 * (high - low || 1);
  return { min: low - pad, max: high + pad, axisLabel: { color: DIM, fontSize: 12, hideOverlap: true,
    formatter: v => v === low - pad || v === high + pad ? "" : tick(v) } };
}

function drawSlice(slice, scale) {
  const node = document.getElementById("slices").appendChild(document.createElement("div"));
  node.className = "chart";
  const { title, recommended } = DATA.belief;
  const many = slice.points.length > 1500;
  const star = slice.points.filter(p => p[2] === recommended);
  const along = sliceAxis(slice, node.clientWidth - 78);
  draw(node, {
    grid: { left: 64, right: 14, top: 10, bottom: along.nameGap ? 80 : 46 },
    xAxis: axis(counted({ title: slice.title, options: slice.words ? slice.values : [] }), { splitLine: { show: false }, ...along }),
    yAxis: vertical(title, { nameGap: 46, ...scale, nameTextStyle: { fontSize: 11, color: INK } }),
    tooltip: { confine: true, formatter: p => `<b>trial ${p.data[2]}</b><br>${text(slice.title)}: ` +
      `${slice.words ? text(p.data[0]) : shown(p.data[0])}<br>${text(title)}: ${shown(p.data[1])}` },
    series: [
      ...(slice.words ? wordsExpected(slice) : lineExpected(slice)),
      { type: "scatter", data: slice.points, symbolSize: many ? 3 : 6, itemStyle: { color: DIM, opacity: 0.7 }, z: 3 },
      { type: "scatter", data: star, symbol: STAR, symbolSize: 16, z: 5,
        itemStyle: { color: ORANGE, borderColor: INK, borderWidth: 1 } },
    ],
  }, many);
}

function sliceAxis(slice, room) {
  if (slice.words) return { type: "category", data: slice.values, ...wordsAlong(slice.values, room) };
  const places = [...slice.values, ...slice.points.map(p => p[0])];
  return { type: slice.log ? "log" : "value", min: least(places), max: most(places),
    axisLabel: { color: DIM, fontSize: 12, formatter: tick, hideOverlap: true } };
}

function lineExpected(slice) {
  const along = ends => ends.map((y, i) => [slice.values[i], y]);
  const ring = [...along(slice.low), ...along(slice.high).reverse()];
  return [
    { type: "custom", silent: true, data: [[slice.values[0], slice.mean[0]]], clip: true, z: 1,
      renderItem: (_, api) => ({ type: "polygon", shape: { points: ring.map(p => api.coord(p)) },
        style: { fill: SKY, opacity: 0.3 } }) },
    { type: "line", silent: true, symbol: "none", data: along(slice.mean), lineStyle: { color: BLUE, width: 2 }, z: 2,
      markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: GREY, type: "dashed" },
        data: [{ xAxis: slice.at }] } },
  ];
}

function wordsExpected(slice) {
  const items = slice.values.map((word, i) => [i, slice.low[i], slice.high[i]]);
  return [
    { type: "custom", silent: true, data: items, encode: { x: 0, y: [1, 2] }, z: 1,
      renderItem: (_, api) => {
        const low = api.coord([api.value(0), api.value(1)]), high = api.coord([api.value(0), api.value(2)]);
        const width = Math.min(26, 0.6 * api.size([1, 0])[0]);
        return { type: "rect", shape: { x: low[0] - width / 2, y: high[1], width, height: low[1] - high[1] },
          style: { fill: SKY, opacity: 0.35 } };
      } },
    { type: "scatter", silent: true, symbol: "rect", symbolSize: [26, 2.5], itemStyle: { color: BLUE }, z: 2,
      data: slice.values.map((word, i) => [word, slice.mean[i]]) },
  ];
}

const WARM = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"]; // viridis
const PALE = ["#f7fbff", "#c6dbef", "#6baed6", "#2171b5", "#08306b"];

function drawMaps(map) {
  const { log, title, spread } = DATA.belief;
  drawMap("map-mean", map, map.mean, title, WARM, log ? v => 10 ** v : v => v);
  drawMap("map-sd", map, map.sd, spread, PALE, v => v);
}

function drawMap(place, map, values, title, colours, inUnit) {
  const [low, high] = [inUnit(least(values)), inUnit(most(values))];
  // as many digits as tell both ends apart
  const apart = (high - low) / Math.max(Math.abs(low), Math.abs(high));
  const digits = apart > 0 ? Math.min(6, 2 + Math.max(0, Math.floor(-Math.log10(apart)))) : 4;
  const label = v => tick(Number(inUnit(v).toPrecision(digits)));
  const [x, y] = [edges(map.first, map.logs[0]), edges(map.second, map.logs[1])];
  const n = map.second.length;
  const cells = values.map((v, k) => [x[Math.floor(k / n)], x[Math.floor(k / n) + 1], y[k % n], y[k % n + 1], v]);
  const star = map.points.filter(p => p[2] === DATA.belief.recommended);
  const scale = (ends, isLog) => ({ type: isLog ? "log" : "value", min: ends[0], max: ends[ends.length - 1],
    scale: false, splitLine: { show: false }, axisLabel: { color: DIM, fontSize: 12, formatter: tick, hideOverlap: true } });
  draw(place, {
    title: { text: title, left: 72, top: 0, textStyle: { fontSize: 13, fontWeight: 600, color: INK } },
    grid: { left: 72, right: 96, top: 26, bottom: 50 },
    xAxis: axis(map.titles[0], scale(x, map.logs[0])),
    yAxis: vertical(map.titles[1], scale(y, map.logs[1])),
    visualMap: { seriesIndex: 0, dimension: 4, min: least(values), max: most(values), calculable: false, right: 0,
      top: "middle", itemHeight: 220, itemWidth: 14, formatter: label, inRange: { color: colours },
      text: [label(most(values)), label(least(values))], textStyle: { color: INK, fontSize: 12 } },
    tooltip: { confine: true, formatter: p => p.seriesIndex === 0 ? `${text(title)}: ${label(p.data[4])}` :
      `<b>trial ${p.data[2]}</b>` },
    series: [
      { type: "custom", data: cells, encode: { x: [0, 1], y: [2, 3] }, clip: true,
        renderItem: (_, api) => {
          const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(3)]);
          return { type: "rect", shape: { x: a[0], y: b[1], width: b[0] - a[0] + 0.6, height: a[1] - b[1] + 0.6 },
            style: { fill: api.visual("color") } };
        } },
      { type: "scatter", data: map.points, symbolSize: map.points.length > 300 ? 2 : 7, z: 3, // or they hide the map
        itemStyle: map.points.length > 300 ? { color: INK, opacity: 0.5 } : { color: "#fff", borderColor: INK, borderWidth: 1 } },
      { type: "scatter", data: star, symbol: STAR, symbolSize: 18, z: 5,
        itemStyle: { color: ORANGE, borderColor: INK, borderWidth: 1 } },
    ],
  }, true);
}

// The borders of cells around values: halfway between them, and at both ends.
function edges(values, log) {
  const middle = (a, b) => log ? Math.sqrt(a * b) : (a + b) / 2;
  return [values[0], ...values.slice(1).map((v, i) => middle(values[i], v)), values[values.length - 1]];
}
