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

// A logarithmic axis ends at 1, 2 or 5 times a power of ten, so that little of it stays empty; a long
// one at powers of ten, or the labels of its ends would lie on others.
function logEnds(values) {
  const low = least(values) / 1.15, high = most(values) * 1.15, isLong = high / low > 1000;
  const step = (value, up) => {
    const power = 10 ** Math.floor(Math.log10(value) + (up ? -1e-9 : 1e-9));
    const marks = isLong ? (up ? [1, 10] : [1]) : up ? [1, 2, 5, 10] : [5, 2, 1];
    return power * marks.find(m => up ? m * power >= value * 0.999 : m * power <= value * 1.001);
  };
  const ends = { min: step(low, false), max: step(high, true) };
  if (ends.max / ends.min < 10) { ends.min = step(ends.min / 1.5, false); ends.max = step(ends.max * 1.5, true); }
  // else there is none between the ends of eleven decades
  return isLong ? { ...ends, interval: Math.ceil(Math.log10(ends.max / ends.min) / 6) } : ends;
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
  if (!log || !isWide(found)) return {};
  return { type: "log", minorTick: { show: true }, ...logEnds(found) };
}

// On a logarithmic axis, whose ends are far apart, values that are alike would lie on a line.
function isWide(values) {
  return values.length > 0 && most(values) / least(values) > 2;
}

function empty(id, text) {
  const place = document.getElementById(id);
  place.className = "empty";
  place.textContent = text;
}

function draw(place, option, many) {
  const node = typeof place === "string" ? document.getElementById(place) : place;
  const chart = echarts.init(node, null, { renderer: many ? "canvas" : "svg" });
  chart.named = [option.xAxis, option.yAxis].map(axes => [axes].flat().map(one => ({ ...one })));
  chart.grid = option.grid;
  chart.setOption(Object.assign({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: INK },
    tooltip: { trigger: "item", confine: true, textStyle: { fontSize: 13 } },
  }, option));
  if (option.grid) fitNames(chart);
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", spoken(node, option));
  charts.push(chart);
  return chart;
}

// For those who hear the page: the heading above, and what is drawn against what. The values are in the table.
function spoken(node, option) {
  const above = [...document.querySelectorAll("h2, h3")]
    .filter(one => one.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING).pop();
  const [x, y] = [option.xAxis, option.yAxis].map(axes => [axes].flat().map(one => one?.name).filter(Boolean).join(", "));
  return "Chart: " + (above?.textContent ?? "") + (x && y ? `: ${y} against ${x}` : "");
}

// The titles of axes as long as there is room, with their units.
function fitNames(chart) {
  const { left, right, top, bottom } = chart.grid;
  const rooms = [chart.getWidth() - left - right, chart.getHeight() - top - bottom];
  const names = chart.named.map((axes, i) => axes.map(one => fitted(one.name, rooms[i], one.nameTextStyle)));
  if (String(names) === String(chart.fitted ?? chart.named.map(axes => axes.map(one => one.name)))) return;
  chart.fitted = names;
  const [xAxis, yAxis] = names.map(axes => axes.map(name => ({ name })));
  chart.setOption({ xAxis, yAxis });
}

const PENCIL = document.createElement("canvas").getContext("2d");

function fitted(name, room, style) {
  if (!name) return name;
  PENCIL.font = `${style.fontSize}px ${getComputedStyle(document.body).fontFamily}`;
  const wide = words => PENCIL.measureText(words).width;
  if (wide(name) <= room) return name;
  const at = name.lastIndexOf(" ["), unit = at < 0 ? "" : name.slice(at);
  let n = (at < 0 ? name : name.slice(0, at)).length;
  while (n > 3 && wide(name.slice(0, n) + "…" + unit) > room) n--;
  return name.slice(0, n) + "…" + unit;
}

// Words along an axis that is `room` wide: all of them where they are few, slanted where they are long.
function wordsAlong(words, room) {
  const share = room / Math.max(1, words.length), longest = most(words.map(w => String(w).length));
  if (words.length > MOST_WORDS) return { axisLabel: { show: false }, axisTick: { show: false } };
  const isLong = 7 * longest > share;
  return { axisLabel: { color: DIM, fontSize: 12, interval: 0, width: isLong ? 84 : share, overflow: "truncate", rotate: isLong ? 35 : 0 },
    ...(isLong ? { nameGap: 64 } : {}) };
}

const MOST_WORDS = 12;

function text(value) {
  const node = document.createElement("span");
  node.textContent = value;
  return node.innerHTML;
}

function resized(chart) {
  chart.resize();
  if (chart.grid) fitNames(chart);
}

window.addEventListener("resize", () => charts.forEach(resized));
// Paper has another width, and scripts are not told: lay the page out for A4, draw at once (a
// resize is else painted with the next frame, too late), and let the drawing scale from there.
window.addEventListener("beforeprint", () => {
  document.body.classList.add("printing");
  charts.forEach(chart => {
    resized(chart);
    chart.getZr().refreshImmediately();
    const drawing = chart.getDom().querySelector("svg");
    if (drawing) drawing.setAttribute("viewBox", `0 0 ${chart.getWidth()} ${chart.getHeight()}`);
  });
});
window.addEventListener("afterprint", () => {
  document.body.classList.remove("printing");
  charts.forEach(resized);
});
