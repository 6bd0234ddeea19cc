// The overview: a row for each series, created when it scrolls into view.
const table = document.querySelector("table.grid");
const body = table.tBodies[0];
const filters = { find: document.getElementById("search"), show: document.getElementById("kind"), metric: document.getElementById("metric"), machine: document.getElementById("machine") };
const end = document.getElementById("end");
const CHUNK = 100;
const selected = new Set();
const made = new Map();
const lower = all.map((series) => series.name.toLowerCase());
let order = Array.from(all.keys());
let shown = order;
let count = 0;

for (const metric of [...new Set(all.map((series) => series.metric))].sort()) filters.metric.append(element("option", {}, metric));
overview.machines.forEach((machine, index) => filters.machine.append(element("option", { value: index }, machineName(machine))));
// Hide a filter that has only one choice.
for (const name of ["metric", "machine"]) filters[name].parentElement.hidden = filters[name].length < 3;

function trend(series) {
  const [width, height] = [200, 34];
  const svg = shape("svg", { viewBox: "0 0 " + width + " " + height, width, height, "aria-hidden": "true" });
  const x = (i) => 3 + (series.trend.length < 2 ? 0.5 : i / (series.trend.length - 1)) * (width - 6);
  const y = (step) => height - 4 - step / 100 * (height - 8);
  const points = series.trend.map((step, i) => x(i).toFixed(0) + "," + y(step).toFixed(1));
  svg.append(shape("polyline", { class: "trend", points: points.join(" ") }));
  // A triangle at the edge, where a value is beyond the scale.
  for (const i of series.beyond || []) {
    const [edge, tip] = series.trend[i] > 50 ? [6, 0] : [height - 6, height];
    svg.append(shape("path", { class: "beyond", d: `M${x(i) - 4},${edge}h8L${x(i)},${tip}Z` }));
  }
  if (series.last) {
    svg.append(shape("circle", { class: "dot " + classOf(series.last), cx: x(series.mark), cy: y(series.trend[series.mark]), r: 3.5 }));
  }
  return svg;
}

function when(series) {
  const [change, changes] = [series.last, series.changes];
  // The number of commits since the last run is known only while the series is measured; a drift has no single commit.
  const isDrift = change.kind === "drift";
  const ago = !series.measured || isDrift ? "" : change.ago === 0 ? ", in the last run" : ", " + plural(change.ago, "commit") + " before the last run";
  const at = isDrift ? "drift over " + plural(change.possible, "commit") + ", " + day(change.start) + " to " + day(change.time) : day(change.time);
  // The change that this one undoes is an earlier one too.
  const earlier = changes - 1 > (change.undoes_previous ? 1 : 0) ? "; " + plural(changes - 1, "earlier change") : "";
  return at + ago + (change.undoes_previous ? "; " + UNDOES : "") + earlier;
}

function notes(series) {
  const texts = [];
  if (series.metric !== "time") texts.push(series.metric);
  if (overview.machines.length > 1) texts.push(machineName(overview.machines[series.machine]));
  if (!series.measured) texts.push(lastMeasured(series));
  if (series.last && series.last.accepted) texts.push("accepted in perfgate.toml");
  if (series.epoch) texts.push("restarts on " + day(series.epoch.start) + " (" + series.epoch.reason + "); earlier runs are not used");
  return texts.join("; ");
}

function rowOf(index) {
  if (made.has(index)) return made.get(index);
  const series = all[index];
  const kind = kindOf(series.last);
  const pick = element("input", { type: "checkbox", "aria-label": "chart " + series.id + " with others" });
  pick.addEventListener("change", () => {
    if (pick.checked) selected.add(series.id); else selected.delete(series.id);
    offer();
  });
  const name = element("td", { class: "name", dir: "auto" }, element("a", { href: address([series.id]), class: "series" }, series.name));
  const text = notes(series);
  if (text) name.append(element("div", { class: "notes" }, text));
  const change = series.last ? size(series.last.change) : "";
  const at = series.last ? when(series) : "";
  const row = element("tr", { "data-kind": kind, "data-id": series.id },
    element("td", { class: "pick" }, pick),
    element("td", { class: "outcome " + classOf(series.last) }, MARKS[kind], series.last && element("span", { class: "small" }, change + ", " + day(series.last.time))),
    name,
    element("td", { class: "trend" }, trend(series)),
    element("td", { class: "number now" }, series.now),
    element("td", { class: "number change " + classOf(series.last) }, change),
    element("td", { class: "when" }, at));
  made.set(index, row);
  return row;
}

// The link to a chart of the selected series.
function offer() {
  const together = document.getElementById("together");
  together.hidden = selected.size === 0;
  together.href = address([...selected]);
  together.textContent = "Chart " + (selected.size === 1 ? "the selected series" : "the " + selected.size + " selected series");
}

function more(wanted) {
  const until = Math.min(shown.length, count + wanted);
  const fragment = document.createDocumentFragment();
  for (; count < until; count++) fragment.append(rowOf(shown[count]));
  body.append(fragment);
  end.hidden = count >= shown.length;
}

function filter() {
  const wanted = filters.find.value.toLowerCase();
  const [show, metric, machine] = [filters.show.value, filters.metric.value, filters.machine.value];
  shown = order.filter((index) => {
    const series = all[index];
    return lower[index].includes(wanted) && (show === "" || (show === GONE ? !series.measured : kindOf(series.last) === show))
      && (metric === "" || series.metric === metric) && (machine === "" || series.machine === Number(machine));
  });
  body.replaceChildren();
  count = 0;
  more(CHUNK);
  document.getElementById("shown").textContent = shown.length + " of " + all.length;
}

// The filters are a part of the address, so that a link shows the same rows.
function remember() {
  const query = new URLSearchParams();
  for (const [name, field] of Object.entries(filters)) if (field.value !== "") query.set(name, field.value);
  history.replaceState(null, "", "#/" + (query.size ? "?" + query : ""));
}

const KEYS = [
  null,
  (series) => ["unchanged", "changed", "better", "worse"].indexOf(kindOf(series.last)),
  (series) => series.name,
  null,
  (series) => series.value,
  (series) => (series.last ? (isNumber(series.last.change) ? series.last.change : Infinity) : null),
  (series) => (series.last ? series.last.time : null),
];

function sort(header) {
  order = sortedOrder(header, all.map(KEYS[header.cellIndex]));
  filter();
}

for (const header of table.tHead.rows[0].cells) {
  const button = header.querySelector("button");
  if (button) button.addEventListener("click", () => sort(header));
}
for (const field of Object.values(filters)) field.addEventListener("input", () => { filter(); remember(); });
new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) more(CHUNK); }, { rootMargin: "1500px" }).observe(end);
addEventListener("beforeprint", () => more(Infinity));

// Up and down go from name to name.
body.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const link = event.target.closest("a.series");
  if (!step || !link) return;
  const links = [...body.querySelectorAll("a.series")];
  const next = links[links.indexOf(link) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
});
