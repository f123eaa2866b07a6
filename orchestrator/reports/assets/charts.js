"use strict";
// What every chart of our pages shares: colours that colour-blind readers can tell apart
// (Okabe and Ito), axes with titles, sizes on screen and on paper.
const DATA = JSON.parse(document.getElementById("data").textContent);
const INK = "#1c2733", DIM = "#5b6875", LINE = "#d9dfe5";
const BLUE = "#0072b2", ORANGE = "#e69f00", RED = "#d55e00", SKY = "#56b4e9", GREY = "#9aa5b1",
  GREEN = "#009e73", PURPLE = "#cc79a7";
const charts = [];

function superscript(n) {
  return String(n).replace(/[-0-9]/g, c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
}

function shown(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -2 && exponent < 5) return String(Number(value.toPrecision(4)));
  return Number((value / 10 ** exponent).toPrecision(4)) + " × 10" + superscript(exponent);
}

function tick(value) {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  if (exponent >= -2 && exponent < 5) return Number(value.toPrecision(6)).toLocaleString("en");
  const mantissa = Number((value / 10 ** exponent).toPrecision(4));
  return (mantissa === 1 ? "" : mantissa + "×") + "10" + superscript(exponent);
}

function axis(title, extra) {
  return Object.assign({
    type: "value", name: title, nameLocation: "middle", nameGap: 30, scale: true,
    nameTextStyle: { color: INK, fontSize: 13 },
    axisLine: { show: true, onZero: false, lineStyle: { color: DIM } },
    axisTick: { show: true, lineStyle: { color: DIM } },
    axisLabel: { color: DIM, fontSize: 12, formatter: tick, hideOverlap: true },
    splitLine: { show: true, lineStyle: { color: "#edf0f3" } },
  }, extra);
}

function vertical(title, extra) {
  return axis(title, Object.assign({ nameGap: 50 }, extra));
}

// A logarithmic axis ends at 1, 2 or 5 times a power of ten, so that little of it stays empty.
function logEnds(values) {
  const low = least(values) / 1.15, high = most(values) * 1.15;
  const step = (value, up) => {
    const power = 10 ** Math.floor(Math.log10(value) + (up ? -1e-9 : 1e-9));
    const marks = up ? [1, 2, 5, 10] : [5, 2, 1];
    return power * marks.find(m => up ? m * power >= value * 0.999 : m * power <= value * 1.001);
  };
  const ends = { min: step(low, false), max: step(high, true) };
  if (ends.max / ends.min < 10) { ends.min = step(ends.min / 1.5, false); ends.max = step(ends.max * 1.5, true); }
  return ends;
}

// Math.min(...values) fails for very many values.
function least(values) {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

function scaleOf(values, log) {
  const found = values.filter(v => v !== null && v !== undefined);
  return log && found.length ? { type: "log", minorTick: { show: true }, ...logEnds(found) } : {};
}

function empty(id, text) {
  const place = document.getElementById(id);
  place.className = "empty";
  place.textContent = text;
}

function draw(place, option, many) {
  const node = typeof place === "string" ? document.getElementById(place) : place;
  const chart = echarts.init(node, null, { renderer: many ? "canvas" : "svg" });
  chart.setOption(Object.assign({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: INK },
    tooltip: { trigger: "item", confine: true, textStyle: { fontSize: 13 } },
  }, option));
  charts.push(chart);
  return chart;
}

function text(value) {
  const node = document.createElement("span");
  node.textContent = value;
  return node.innerHTML;
}

window.addEventListener("resize", () => charts.forEach(chart => chart.resize()));
// Paper has another width, and scripts are not told: lay the page out for A4, draw at once (a
// resize is else painted with the next frame, too late), and let the drawing scale from there.
window.addEventListener("beforeprint", () => {
  document.body.classList.add("printing");
  charts.forEach(chart => {
    chart.resize();
    chart.getZr().refreshImmediately();
    const drawing = chart.getDom().querySelector("svg");
    if (drawing) drawing.setAttribute("viewBox", `0 0 ${chart.getWidth()} ${chart.getHeight()}`);
  });
});
window.addEventListener("afterprint", () => {
  document.body.classList.remove("printing");
  charts.forEach(chart => chart.resize());
});
