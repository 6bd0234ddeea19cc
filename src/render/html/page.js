"use strict";
// Sorting, filtering, and charts that are drawn on click. Names are only inserted as text.
const table = document.querySelector("table.sortable");
const body = table && table.tBodies[0];
const rows = body ? Array.from(body.rows) : [];
const search = document.getElementById("search");
const kind = document.getElementById("kind");
const shown = document.getElementById("shown");

function filter() {
  const wanted = search.value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    const hit = row.dataset.name.includes(wanted) && (kind.value === "" || row.dataset.kind === kind.value);
    row.hidden = !hit;
    if (row.chart) row.chart.hidden = !hit;
    count += hit ? 1 : 0;
  }
  shown.textContent = count + " of " + rows.length;
}

function sort(header) {
  const column = header.cellIndex;
  const down = header.getAttribute("aria-sort") !== "descending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => row.cells[column].dataset.v;
  const keyed = rows.map((row, index) => ({ row, index, text: value(row), number: Number(value(row)) }));
  const numbers = keyed.every((entry) => entry.text !== undefined && !Number.isNaN(entry.number));
  keyed.sort((a, b) => {
    const order = numbers ? b.number - a.number : String(b.text).localeCompare(String(a.text));
    return (down ? order : -order) || a.index - b.index;
  });
  body.append(...keyed.flatMap((entry) => (entry.row.chart ? [entry.row, entry.row.chart] : [entry.row])));
}

if (table) {
  for (const header of table.tHead.rows[0].cells) {
    const button = header.querySelector("button");
    if (button) button.addEventListener("click", () => sort(header));
  }
  search.addEventListener("input", filter);
  kind.addEventListener("change", filter);
  filter();
}

const block = document.getElementById("data");
const data = block ? JSON.parse(block.textContent) : [];

function shape(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function draw(series) {
  const width = 860, height = 240, left = 80, right = 12, top = 12, bottom = 28;
  const values = series.v;
  let low = Math.min(...values), high = Math.max(...values);
  const spare = Math.max((high - low) * 0.08, Math.abs(high) * 0.01, 1e-9);
  low -= spare; high += spare;
  const x = (i) => left + (values.length < 2 ? 0.5 : i / (values.length - 1)) * (width - left - right);
  const y = (v) => top + (high - v) / (high - low) * (height - top - bottom);
  const svg = shape("svg", { viewBox: "0 0 " + width + " " + height, width, height, role: "img", "aria-label": "values by commit" });
  for (const change of series.x) {
    const from = x(Math.max(change[0] - 0.5, 0)), to = x(Math.min(change[1] + 0.5, values.length - 1));
    const band = shape("rect", { class: "band", x: from, y: top, width: Math.max(to - from, 2), height: height - top - bottom });
    band.append(shape("title", {}, change[2]));
    svg.append(band);
  }
  svg.append(shape("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
  for (const v of [low + spare, (low + high) / 2, high - spare]) {
    svg.append(shape("line", { class: "axis", x1: left, x2: width - right, y1: y(v), y2: y(v) }));
    svg.append(shape("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, v.toPrecision(4) + " " + series.u));
  }
  values.forEach((v, i) => {
    const point = shape("circle", { class: "point", cx: x(i), cy: y(v), r: 2.5 });
    point.append(shape("title", {}, series.c[i] + ": " + v + " " + series.u));
    svg.append(point);
  });
  for (const [start, end, level] of series.s) {
    svg.append(shape("line", { class: "level", x1: x(start), x2: x(Math.max(end - 1, start + 0.2)), y1: y(level), y2: y(level) }));
  }
  svg.append(shape("text", { x: left, y: height - 8 }, series.c[0]));
  svg.append(shape("text", { x: width - right, y: height - 8, "text-anchor": "end" }, series.c[values.length - 1]));
  return svg;
}

for (const button of document.querySelectorAll("button[data-chart]")) {
  button.addEventListener("click", () => {
    const row = button.closest("tr");
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      const cell = document.createElement("td");
      cell.colSpan = row.cells.length;
      cell.append(draw(data[Number(button.dataset.chart)]));
      row.chart = document.createElement("tr");
      row.chart.append(cell);
      row.after(row.chart);
    } else {
      row.chart.remove();
      row.chart = undefined;
    }
  });
}
