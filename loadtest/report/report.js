// Shows the values under the pointer. The report is complete without it.
"use strict";

const element = (name, className, text = "") => {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
};

const nearest = (xs, x) => {
  let best = 0;
  xs.forEach((at, index) => {
    if (Math.abs(at - x) < Math.abs(xs[best] - x)) best = index;
  });
  return best;
};

const percent = (share) => `${100 * share}%`;

const withValueAt = (lines, index) => lines.filter((line) => line.y[index] !== null);

const dot = (line, x, index) => {
  const made = element("span", `dot ${line.look}`);
  made.style.left = percent(x);
  made.style.bottom = percent(line.y[index]);
  return made;
};

const tip = (points, x, index) => {
  const made = element("div", "tip");
  made.style[x > 0.5 ? "right" : "left"] = percent(x > 0.5 ? 1 - x : x);
  const list = element("ul", "");
  for (const line of withValueAt(points.lines, index)) {
    const item = element("li", "");
    item.append(element("span", `key ${line.look}`), line.name, element("span", "", line.text[index]));
    list.append(item);
  }
  made.append(element("strong", "", points.when[index]), list);
  return made;
};

const charts = [...document.querySelectorAll("figure[data-points]")].map((figure) => ({
  overTime: figure.classList.contains("time"),
  points: JSON.parse(figure.dataset.points),
  area: figure.querySelector(".area"),
  shown: [],
}));

const clear = (chart) => {
  chart.shown.forEach((made) => made.remove());
  chart.shown = [];
};

// All charts over time have the same x axis: a line in one is at the same moment in all.
const show = (chart, pointer) => {
  const { points } = chart;
  if (!points.x.length) return clear(chart);
  const index = nearest(points.x, pointer);
  const x = points.x[index];
  const cross = element("span", "cross");
  cross.style.left = percent(x);
  clear(chart);
  chart.shown = [cross, ...withValueAt(points.lines, index).map((line) => dot(line, x, index))];
  chart.area.append(...chart.shown);
};

const linked = (chart) => (chart.overTime ? charts.filter((other) => other.overTime) : [chart]);

for (const chart of charts) {
  const move = (event) => {
    const box = chart.area.getBoundingClientRect();
    const pointer = (event.clientX - box.left) / box.width;
    linked(chart).forEach((other) => show(other, pointer));
    if (!chart.points.x.length) return;
    const index = nearest(chart.points.x, pointer);
    const values = tip(chart.points, chart.points.x[index], index);
    chart.shown.push(values);
    chart.area.append(values);
  };
  chart.area.addEventListener("pointermove", move);
  chart.area.addEventListener("pointerdown", move);
  chart.area.addEventListener("pointerleave", () => linked(chart).forEach(clear));
}
