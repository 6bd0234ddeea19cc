// Rows are created from the data in the page when they scroll into view. Names are only inserted as text.
const data = JSON.parse(document.getElementById("data").textContent);
const rows = data.rows;
const [NAME, KIND, METRIC, WORD, BASE, BASE_TEXT, HEAD, HEAD_TEXT, CHANGE, LOW, HIGH, Q, LIMIT, NOTES, SAMPLES] = Array(15).keys();
const table = document.querySelector("table.sortable");
const body = table.tBodies[0];
const search = document.getElementById("search");
const kind = document.getElementById("kind");
const counted = document.getElementById("shown");
const end = document.getElementById("end");
const CHUNK = 100;
const made = new Map();
let lower = null;
let order = Array.from(rows.keys());
let shown = order;
let count = 0;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Text with its `commands` as code.
function withCode(text) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [text];
  return parts.map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const isNumber = (value) => typeof value === "number";
const interval = (row) => (isNumber(row[LOW]) ? intervalText(row[CHANGE], row[LOW], row[HIGH]) : "");
const q = (value) => (!isNumber(value) ? "" : value < 1e-4 ? "<0.0001" : value < 1e-2 ? value.toFixed(4) : value.toFixed(2));
const metric = (row) => data.metrics[row[METRIC]];
const addressText = (row) => row[NAME] + (metric(row) === "time" ? "" : " " + metric(row));
const address = (row) => "#" + encodeURIComponent(addressText(row));

// The interval as a line, with marks at the estimate, at no change and at the threshold.
function drawing(row) {
  const [width, height] = [data.width, 18];
  const x = (by) => width / 2 + Math.max(-1, Math.min(1, Math.log1p(Math.max(by, -0.99)) / data.reach)) * (width / 2 - 4);
  const svg = shape("svg", { width, height, "aria-hidden": "true" });
  const line = (name, from, to, top, bottom) => svg.append(shape("line", { class: name, x1: from, x2: to, y1: top, y2: bottom }));
  const limit = isNumber(row[LIMIT]) ? row[LIMIT] : data.limit;
  line("zero", x(0), x(0), 0, height);
  line("limit", x(limit), x(limit), 0, height);
  line("range " + data.kinds[row[KIND]][1], x(row[LOW]), x(row[HIGH]), height / 2, height / 2);
  svg.append(shape("circle", { class: "dot " + data.kinds[row[KIND]][1], cx: x(row[CHANGE]), cy: height / 2, r: 3.5 }));
  return svg;
}

function make(index) {
  if (made.has(index)) return made.get(index);
  const row = rows[index];
  const [word, colour] = data.kinds[row[KIND]];
  const button = element("button", { type: "button", class: "chart", "aria-expanded": "false" }, row[NAME]);
  const link = element("a", { class: "link", href: address(row), "aria-label": "address of this benchmark" }, "#");
  const name = element("td", { class: "name", dir: "auto" }, button, link);
  if (metric(row) !== "time") name.append(element("span", { class: "small dim" }, metric(row)));
  if (row[NOTES]) name.append(element("div", { class: "notes" }, ...withCode(row[NOTES])));
  const ci = element("td", { class: "ci" });
  if (isNumber(row[LOW]) && isNumber(row[CHANGE])) ci.append(drawing(row), element("span", {}, interval(row)));
  const tr = element("tr", { "data-kind": word, "data-name": row[NAME].toLowerCase(), "aria-rowindex": index + 2 },
    element("td", { class: "outcome " + colour }, row[WORD] || word), name,
    element("td", { class: "metric" }, metric(row)),
    element("td", { class: "number side" }, row[BASE_TEXT] || "–"),
    element("td", { class: "number side" }, row[HEAD_TEXT] || "–"),
    element("td", { class: "number change " + colour }, isNumber(row[CHANGE]) ? changeText(row[CHANGE]) : "–"),
    ci,
    element("td", { class: "number q" }, q(row[Q])));
  const parts = [tr];
  button.addEventListener("click", () => toggle(row, button, parts));
  made.set(index, parts);
  return parts;
}

// Everything about a row, also what a narrow screen leaves out, and its samples.
function toggle(row, button, parts) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  if (!open) {
    parts.pop().remove();
    return;
  }
  const facts = [metric(row) + ": " + (row[BASE_TEXT] || "–") + " → " + (row[HEAD_TEXT] || "–")];
  if (interval(row)) facts.push("95% CI " + interval(row));
  if (isNumber(row[Q])) facts.push("q " + q(row[Q]));
  const cell = element("td", { colspan: 8 }, element("p", { class: "dim" }, facts.join("; ")));
  if (row[SAMPLES]) {
    cell.append(sampleChart(row[SAMPLES]));
    cell.append(element("p", { class: "dim" }, "Dots: samples, or evenly spaced quantiles of many. Upright bar: median of a run. In parentheses: its number of samples." + (row[SAMPLES].o ? " Dots at the edges lie outside." : "")));
  }
  parts.push(element("tr", { class: "details" }, cell));
  parts[0].after(parts[1]);
}

function more(wanted) {
  const until = Math.min(shown.length, count + wanted);
  const fragment = document.createDocumentFragment();
  for (; count < until; count++) fragment.append(...make(shown[count]));
  body.append(fragment);
  end.hidden = count >= shown.length;
}

function restart() {
  body.replaceChildren();
  count = 0;
  more(CHUNK);
  counted.textContent = shown.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en");
}

function filter() {
  lower ||= rows.map((row) => row[NAME].toLowerCase());
  const wanted = search.value.toLowerCase();
  shown = order.filter((index) => lower[index].includes(wanted) && (kind.value === "" || data.kinds[rows[index][KIND]][0] === kind.value));
  restart();
}

const KEYS = [
  (row, index) => -index,
  (row) => row[NAME],
  (row) => metric(row),
  (row) => row[BASE],
  (row) => row[HEAD],
  (row) => row[CHANGE],
  (row) => (isNumber(row[LOW]) ? row[HIGH] - row[LOW] : null),
  (row) => (isNumber(row[Q]) ? -row[Q] : null),
];

function sort(header) {
  order = sortedOrder(header, rows.map((row, index) => KEYS[header.cellIndex](row, index)));
  filter();
}

// The text after the `#` of the page's address. Browsers and people encode different characters of it.
function wantedAddress() {
  const text = location.hash.slice(1);
  try { return decodeURIComponent(text); } catch { return text; }
}

// Shows the benchmark that the address names.
function follow() {
  const wanted = wantedAddress();
  if (wanted === "") return;
  const exact = rows.findIndex((row) => addressText(row) === wanted);
  // A name that itself looks encoded, such as `100%25`, may be written as it is.
  const index = exact >= 0 ? exact : rows.findIndex((row) => "#" + row[NAME] === location.hash || row[NAME] === wanted);
  if (index < 0) return;
  search.value = "";
  kind.value = "";
  filter();
  more(shown.indexOf(index) + 1 - count);
  for (const old of body.querySelectorAll(".target")) old.classList.remove("target");
  const [tr] = make(index);
  tr.classList.add("target");
  const button = tr.querySelector("button");
  if (button.getAttribute("aria-expanded") !== "true") button.click();
  tr.scrollIntoView({ block: "center" });
}

// Round values between two others, with their texts.
function roundTicks(low, high) {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((by) => by * power >= rough) || 10);
  const digits = Math.min(12, Math.max(0, -Math.floor(Math.log10(step * 1.001))));
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) {
    const value = i * step;
    ticks.push([value, Math.abs(value) < 1e9 ? value.toFixed(digits) : value.toPrecision(4)]);
  }
  return ticks;
}

// The samples of both sides, a row for each run. Samples are steps of `s` from `l`, each counted from the one before it.
function sampleChart(both) {
  const values = (run) => run.slice(1).reduce((all, step) => [...all, (all.length ? all[all.length - 1] : 0) + step], []).map((at) => both.l + both.s * at);
  const runs = [["base", both.b], ["head", both.h]].flatMap(([word, side]) =>
    side.map((run, i) => ({ side: word, text: (side.length > 1 ? word + " " + (i + 1) : word) + " (" + run[0] + ")", v: values(run) })));
  const width = 860, row = 30, left = 110, right = 40, top = 8, height = top + row * runs.length + 30;
  const all = runs.flatMap((run) => run.v);
  let low = Math.min(...all), high = Math.max(...all);
  const spare = Math.max((high - low) * 0.05, Math.abs(high) * 0.001, 1e-9);
  low -= spare; high += spare;
  const x = (v) => left + (v - low) / (high - low) * (width - left - right);
  const svg = shape("svg", { viewBox: "0 0 " + width + " " + height, width, height, role: "img", "aria-label": "samples of base and head" });
  if (both.o) svg.append(shape("title", {}, "dots at the edges lie outside"));
  for (const [v, text] of roundTicks(low, high)) {
    svg.append(shape("line", { class: "axis", x1: x(v), x2: x(v), y1: top, y2: height - 24 }));
    svg.append(shape("text", { x: x(v), y: height - 8, "text-anchor": "middle" }, text + " " + both.u));
  }
  runs.forEach((run, i) => {
    const y = top + row * (i + 0.5), n = run.v.length;
    svg.append(shape("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, run.text));
    for (const v of run.v) svg.append(shape("circle", { class: "sample " + run.side, cx: x(v), cy: y, r: 4 }));
    if (n === 0) return;
    const middle = (run.v[(n - 1) >> 1] + run.v[n >> 1]) / 2;
    const line = shape("line", { class: "centre", x1: x(middle), x2: x(middle), y1: y - 11, y2: y + 11 });
    line.append(shape("title", {}, run.text + ": " + middle.toPrecision(4) + " " + both.u));
    svg.append(line);
  });
  return svg;
}

for (const header of table.tHead.rows[0].cells) header.querySelector("button").addEventListener("click", () => sort(header));
search.addEventListener("input", filter);
kind.addEventListener("change", filter);
new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) more(CHUNK); }, { rootMargin: "1500px" }).observe(end);
addEventListener("beforeprint", () => more(Infinity));
addEventListener("hashchange", follow);
restart();
follow();
