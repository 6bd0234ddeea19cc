// The view of one or several series: chart, changes, epochs and waivers, two commits to compare, and a table of values.
const view = document.getElementById("view");
const list = document.getElementById("overview");
const title = document.title;
const options = { even: false, relative: false, zero: false };
let current = null;
let scrolled = 0;

// The series of an address: by its id, or those of a benchmark and a metric, of all machine classes. The metric is time unless it
// follows the name, or the first one of a benchmark without a time.
function find(text) {
  const exact = all.find((series) => series.id === text);
  if (exact) return [exact];
  const withMetric = (series) => series.name + (series.metric === "time" ? "" : " " + series.metric);
  const ofMetric = all.filter((series) => withMetric(series) === text);
  if (ofMetric.length) return ofMetric;
  const named = all.filter((series) => series.name === text);
  return named.filter((series) => series.metric === named[0].metric);
}

class SeriesView {
  constructor(lines, query) {
    this.lines = lines;
    this.query = query;
    this.rangeQuery = "";
    this.ids = lines.map((line) => line.series.id);
    this.holder = element("div", { class: "chart", tabindex: "0", role: "slider", "aria-label": "Chart of " + this.ids.join(", ") + ". Arrow keys go from commit to commit, Enter pins one, plus and minus zoom.", "aria-valuemin": "1" });
    this.frame = element("div", { class: "frame" }, this.holder);
    this.build();
  }

  build() {
    const heading = element("h2", { tabindex: "-1", dir: "auto" }, this.lines.length === 1 ? this.lines[0].series.name : this.lines.length + " series");
    this.range = element("span", { class: "dim", role: "status" });
    this.compare = element("p", { class: "compare" });
    this.base = this.commitField("base");
    this.head = this.commitField("head");
    view.replaceChildren(
      element("p", {}, element("a", { href: "#/" + (filterQuery() || ""), class: "back" }, "← All series")),
      heading, this.legend(), this.toolbar(), this.frame, this.chartKey(), ...this.remarks(), this.changes(), this.comparison(), this.table());
    document.title = this.ids.join(", ") + " · " + title;
    this.draw();
    const wanted = ["from", "to"].map((end) => this.columns.places.findIndex((place) => key(commits[place]) === this.query.get(end)));
    if (wanted.every((index) => index >= 0)) this.zoom(...wanted);
    this.choose("base", null);
    heading.focus({ preventScroll: true });
  }

  draw() {
    if (this.chart) this.chart.destroy();
    this.columns = new Columns(this.lines, options);
    if (this.card) this.card.element.remove();
    this.card = new Card(this.columns, { choose: (side, index) => this.choose(side, index), close: () => this.unpin(true) });
    this.frame.append(this.card.element);
    const height = Math.max(240, Math.min(380, innerHeight * 0.5));
    this.isDrawn = false;
    this.chart = makeChart(this.holder, this.columns, { zero: options.zero, height }, {
      hover: (index) => { if (!this.isMoving && !this.card.isPinned) this.at(index); },
      click: (index) => { if (isNumber(index)) this.pin(index); },
      zoom: (low, high) => this.zoomed(low, high),
    });
    this.isDrawn = true;
    this.holder.setAttribute("aria-valuemax", this.columns.places.length);
    this.describe(this.columns.places.length - 1);
    this.zoomed(this.chart.scales.x.min, this.chart.scales.x.max);
    for (const line of this.lines) if (line.swatch) line.swatch.style.background = line.colour;
  }

  describe(index) {
    this.holder.setAttribute("aria-valuenow", index + 1);
    this.holder.setAttribute("aria-valuetext", this.card.describe(index));
  }

  left(index) {
    return this.chart.valToPos(this.columns.x[index], "x") + this.chart.over.offsetLeft;
  }

  at(index) {
    if (!isNumber(index)) return this.card.hide();
    this.card.show(index, this.left(index));
    this.describe(index);
  }

  pin(index) {
    this.card.pin(index, this.left(index));
    this.describe(index);
  }

  unpin(isFocused) {
    this.card.hide();
    if (isFocused) this.holder.focus();
  }

  // Moves the cursor to a commit, and the visible range with it.
  move(index) {
    const to = Math.max(0, Math.min(this.columns.places.length - 1, index));
    const { min, max } = this.chart.scales.x;
    const x = this.columns.x[to];
    if (x < min || x > max) {
      const low = Math.max(this.columns.x[0], Math.min(x - (max - min) / 2, this.columns.x[this.columns.x.length - 1] - (max - min)));
      this.chart.setScale("x", { min: low, max: low + (max - min) });
      // uPlot applies a new scale in a microtask.
      return queueMicrotask(() => this.place(to));
    }
    this.place(to);
  }

  // Puts the cursor on a commit in the visible range.
  place(index) {
    const line = this.lines.find((one) => one.column[index] !== null);
    this.isMoving = true;
    this.chart.setCursor({ left: this.chart.valToPos(this.columns.x[index], "x"), top: this.chart.valToPos(line.column[index], "y") });
    this.isMoving = false;
    this.card.isPinned = false;
    this.at(index);
  }

  zoom(from, to) {
    const x = this.columns.x;
    this.chart.setScale("x", { min: x[Math.min(from, to)], max: x[Math.max(from, to)] });
  }

  // Shows a part of the visible range around the cursor; more than 1 for a wider one.
  scale(by) {
    const x = this.columns.x;
    const { min, max } = this.chart.scales.x;
    const middle = this.card.index === null ? (min + max) / 2 : x[this.card.index];
    const half = (max - min) / 2 * by;
    const [low, high] = [Math.max(x[0], middle - half), Math.min(x[x.length - 1], middle + half)];
    if (x.filter((at) => at >= low && at <= high).length < 3 && by < 1) return;
    const { index, isPinned } = this.card;
    this.chart.setScale("x", { min: low, max: high });
    // Keep the cursor on its commit, not at its position in pixels.
    if (index !== null) queueMicrotask(() => (isPinned ? this.pin(index) : this.place(index)));
  }

  zoomed(low, high) {
    if (!this.isDrawn) return;
    const x = this.columns.x;
    const first = x.findIndex((at) => at >= low);
    const last = x.findLastIndex((at) => at <= high);
    if (first < 0 || last < first) return;
    const isWhole = first === 0 && last === x.length - 1;
    const ends = [this.columns.commit(first), this.columns.commit(last)];
    this.range.textContent = plural(last - first + 1, "commit") + ", " + ends.map((commit) => day(commit[1])).join(" to ");
    const query = new URLSearchParams(isWhole ? {} : { from: key(ends[0]), to: key(ends[1]) });
    this.rangeQuery = isWhole ? "" : "?" + query;
    history.replaceState(null, "", address(this.ids) + this.rangeQuery);
    // The commit of the card may be outside of the range, or at another place in it.
    this.unpin(false);
    if (!isWhole) this.choose("both", [first, last]);
  }

  legend() {
    if (this.lines.length === 1) {
      const { series, part } = this.lines[0];
      const better = { lower: ", lower is better", higher: ", higher is better" }[series.better] || "";
      const gone = series.measured ? "" : lastMeasured(series);
      const texts = [series.metric + better, machineName(overview.machines[series.machine]), series.tool, plural(part.values.length, "commit"), "commits of one level differ by about " + size(part.noise).replace("+", "") + " (standard deviation)", gone];
      return element("p", { class: "dim" }, texts.filter(Boolean).join(" · "));
    }
    const items = this.lines.map((line) => {
      line.swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      const others = this.ids.filter((id) => id !== line.series.id);
      const remove = element("a", { href: address(others), "aria-label": "leave out " + line.series.id }, "×");
      return element("li", { dir: "auto" }, line.swatch, element("a", { href: address([line.series.id]) }, line.series.id), " ", remove);
    });
    return element("ul", { class: "legend" }, ...items);
  }

  // What the marks in the chart mean.
  chartKey() {
    const isSingle = this.lines.length === 1;
    const changes = this.lines.flatMap((line) => line.part.changes);
    const newest = (line) => day(commits[line.part.commits.at(-1)][1]);
    const hasEnded = (line) => line.part.waivers.some((waiver) => waiver.until <= newest(line));
    const some = (wanted, text) => (wanted ? text : null);
    const texts = [
      isSingle ? "thick line: level" : "thick lines: levels",
      some(isSingle && changes.length, "band: commits that may have made the change"),
      some(changes.length, "▲ ▼: most likely commit (of a drift, its end)"),
      some(changes.some((change) => change.accepted), "▲ with a dot: accepted"),
      some(this.lines.some((line) => line.series.epoch), "dashed line: start of an epoch"),
      some(this.lines.some(hasEnded), "dashed line: end of a waiver"),
    ];
    return element("p", { class: "dim key" }, texts.filter(Boolean).join("; "));
  }

  toolbar() {
    const button = (text, label, act) => {
      const made = element("button", { type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", act);
      return made;
    };
    const check = (name, text) => {
      const box = element("input", { type: "checkbox", id: "option-" + name });
      box.checked = options[name];
      box.addEventListener("change", () => { options[name] = box.checked; this.draw(); });
      return element("label", {}, box, " " + text);
    };
    const names = element("datalist", { id: "names" }, ...all.filter((series) => !this.ids.includes(series.id)).map((series) => element("option", { value: series.id })));
    const add = element("input", { type: "search", id: "add", list: "names", placeholder: "name of a series" });
    add.addEventListener("change", () => {
      const found = find(add.value);
      if (found.length) location.hash = address([...new Set([...this.ids, ...found.map((series) => series.id)])]) + this.rangeQuery;
      add.setAttribute("aria-invalid", String(add.value !== "" && !found.length));
    });
    return element("div", { class: "tools" },
      element("span", { class: "buttons" },
        button("+", "Zoom in", () => this.scale(0.5)), button("−", "Zoom out", () => this.scale(2)),
        button("All", "Show all commits", () => this.zoom(0, this.columns.x.length - 1))),
      check("even", "even spacing"), check("zero", "from zero"),
      this.lines.length > 1 ? check("relative", "as changes") : null,
      element("label", {}, "Add ", add), names, this.range);
  }

  remarks() {
    return this.lines.flatMap((line) => {
      const name = this.lines.length > 1 ? line.series.id + " " : "";
      const { epoch } = line.series;
      const texts = epoch ? ["Epoch: " + name + "starts on " + day(epoch.start) + ": " + epoch.reason] : [];
      const today = new Date().toISOString().slice(0, 10);
      for (const waiver of line.part.waivers) {
        const verb = waiver.until < today ? "was accepted until " : "is accepted until ";
        texts.push("Waiver: " + name + "up to " + (typeof waiver.up_to === "string" ? waiver.up_to : size(waiver.up_to)) + " " + verb + waiver.until + ": " + waiver.reason);
      }
      return texts.map((text) => element("p", { class: "remark", dir: "auto" }, text));
    });
  }

  changes() {
    const rows = this.lines.flatMap((line) => line.part.changes.map((change) => ({ line, change })));
    if (!rows.length) return element("p", { class: "dim" }, this.lines[0].part.values.length < 8 ? "Fewer than 8 commits: too few to find changes." : "No changes.");
    rows.sort((a, b) => b.change.time - a.change.time);
    const several = this.lines.length > 1;
    const body = rows.map(({ line, change }) => {
      const kind = kindOf(change);
      const [after, to] = [commits[change.after], commits[change.to]];
      const possible = change.possible;
      const range = element("td", {});
      const at = (commit) => (commit ? commitLink(commit) : null);
      const isDrift = change.kind === "drift"; // which has no single commit
      if (isDrift) range.append("over " + plural(possible, "commit") + ", ", at(after) || "the first", " to ", at(to), ", no single step");
      else if (possible === 1) range.append(at(to)); else range.append("after ", at(after) || "the first", ", up to ", at(to), " (" + possible + " possible)");
      if (!isDrift && commits[change.commit] && commits[change.commit][2]) range.append(element("div", { class: "notes", dir: "auto" }, (possible === 1 ? "" : "most likely: ") + commits[change.commit][2]));
      if (change.undoes_previous) range.append(element("div", { class: "notes" }, UNDOES));
      const zoom = element("button", { type: "button", "aria-label": "Zoom to the change of " + day(change.time) }, "Zoom");
      zoom.addEventListener("click", () => {
        const spare = Math.max(10, change.last + 1 - change.first);
        this.zoom(Math.max(0, line.at[change.first] - spare), Math.min(this.columns.x.length - 1, line.at[change.last] + spare));
        queueMicrotask(() => this.place(line.at[change.at]));
        this.frame.scrollIntoView({ block: "nearest" });
      });
      return element("tr", {},
        element("td", { class: classOf(change) }, MARKS[kind] + (change.kind === "drift" ? ", drift" : "") + (change.accepted ? ", accepted" : "")),
        several ? element("td", { class: "name", dir: "auto" }, line.series.id) : null,
        element("td", { class: "number" }, size(change.change)),
        element("td", { class: "number" }, isNumber(change.low) && change.low < change.high ? intervalText(change.change, change.low, change.high) : ""),
        element("td", { class: "date" }, day(change.time)), range,
        element("td", {}, (after && compareLink(after, to, "Compare")) || "", " ", zoom));
    });
    const names = ["outcome", several && "series", "change", "95% CI", "date", "commits"].filter(Boolean);
    const head = names.map((name) => element("th", { scope: "col", class: name === "change" || name === "95% CI" ? "number" : "" }, name));
    return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Changes" }, element("table", { class: "changes" }, element("caption", {}, "Changes, latest first"),
      element("thead", {}, element("tr", {}, ...head, element("th", { scope: "col" }, element("span", { class: "hidden" }, "actions")))), element("tbody", {}, ...body)));
  }

  // Fill the list of a field when it is first used: a thousand options delay the first view.
  commitField(side) {
    const field = element("select", { id: side });
    const fill = () => {
      if (field.length > 1) return;
      const chosen = field.value;
      field.replaceChildren(...this.columns.places.map((_, index) => this.option(index)));
      field.value = chosen;
    };
    field.addEventListener("focus", fill);
    field.addEventListener("pointerdown", fill);
    field.addEventListener("change", () => this.choose(side, Number(field.value)));
    return field;
  }

  option(index) {
    const commit = this.columns.commit(index);
    return element("option", { value: index }, [day(commit[1]), shortId(commit), commit[2]].filter(Boolean).join(" ").slice(0, 80));
  }

  set(field, index) {
    if (field.length > 1) field.value = index; else field.replaceChildren(this.option(index));
  }

  // Chooses the commits to compare; at first those of the last change.
  choose(side, index) {
    const places = this.columns.places;
    if (!this.base.length) {
      const last = this.lines.flatMap((line) => line.part.changes).sort((a, b) => b.time - a.time)[0];
      this.set(this.base, last && last.after !== null ? this.columns.index(last.after) : Math.max(0, places.length - 2));
      this.set(this.head, last ? this.columns.index(last.to) : places.length - 1);
    }
    if (side === "both") [this.base, this.head].forEach((field, end) => this.set(field, index[end]));
    else if (index !== null) this.set(this[side], index);
    const [base, head] = [this.base, this.head].map((field) => Number(field.value));
    const values = this.lines.flatMap((line) => {
      const [a, b] = [base, head].map((at) => line.part.values[line.at.indexOf(at)]);
      if (!isNumber(a) || !isNumber(b)) return [];
      return [(this.lines.length > 1 ? line.series.id + ": " : "") + withUnit(a, line.series.unit) + " → " + withUnit(b, line.series.unit) + (a ? " (" + size(b / a - 1) + ")" : "")];
    });
    const commitsBetween = Math.abs(head - base);
    const link = compareLink(this.columns.commit(base), this.columns.commit(head), "Compare " + shortId(this.columns.commit(base)) + " … " + shortId(this.columns.commit(head)));
    this.compare.replaceChildren(...(link ? [link, " "] : []), element("span", { class: "dim", dir: "auto" }, [plural(commitsBetween, "measured commit") + " apart", ...values].join("; ")));
  }

  comparison() {
    return element("fieldset", {}, element("legend", {}, "Compare two commits"),
      element("div", { class: "pair" }, element("label", {}, "Base ", this.base), element("label", {}, "Head ", this.head)), this.compare);
  }

  table() {
    const details = element("details", {}, element("summary", {}, "Table of values"));
    details.addEventListener("toggle", () => { if (details.open && !details.querySelector("table")) details.append(this.values()); });
    return details;
  }

  values() {
    const several = this.lines.length > 1;
    const names = ["date", "commit", "subject", ...this.lines.map((line) => (several ? line.series.id : "value")), ...(several ? [] : ["change", "runs"])];
    const rows = this.columns.places.map((_, index) => {
      const commit = this.columns.commit(index);
      const values = this.card.values(index);
      const cells = this.lines.map((line) => values.find((value) => value.line === line)).map((value) => element("td", { class: "number" }, value ? value.text : ""));
      if (!several) cells.push(element("td", { class: "number" }, values[0].change), element("td", { class: "number" }, values[0].runs));
      return element("tr", {}, element("td", {}, minute(commit[1])), element("td", {}, commitLink(commit)), element("td", { class: "subject", dir: "auto" }, commit[2] || ""), ...cells);
    }).reverse();
    return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Values" }, element("table", { class: "values" }, element("caption", {}, "Values, latest first"),
      element("thead", {}, element("tr", {}, ...names.map((name, index) => element("th", { scope: "col", class: index > 2 ? "number" : "" }, name)))), element("tbody", {}, ...rows)));
  }
}

const key = (commit) => (commit[0] ? commit[0].slice(0, 10) : String(commit[1]));
const filterQuery = () => {
  const query = new URLSearchParams(Object.entries(filters).filter(([, field]) => field.value !== "").map(([name, field]) => [name, field.value]));
  return query.size ? "?" + query : "";
};

view.addEventListener("keydown", (event) => {
  if (!current) return;
  if (event.key === "Escape" && current.card.index !== null) return current.unpin(true);
  if (event.target !== current.holder || event.ctrlKey || event.altKey || event.metaKey) return;
  const last = current.columns.places.length - 1;
  const index = current.card.index === null ? null : current.card.index;
  const step = event.shiftKey ? 10 : 1;
  const act = {
    ArrowLeft: () => current.move(index === null ? last : index - step), ArrowRight: () => current.move(index === null ? 0 : index + step),
    ArrowDown: () => current.move(index === null ? last : index - step), ArrowUp: () => current.move(index === null ? 0 : index + step),
    PageDown: () => current.move((index === null ? last : index) - 10), PageUp: () => current.move((index === null ? 0 : index) + 10),
    Home: () => current.move(0), End: () => current.move(last), "+": () => current.scale(0.5), "=": () => current.scale(0.5), "-": () => current.scale(2),
    Escape: () => current.zoom(0, last),
    Enter: () => {
      if (index === null) return;
      current.pin(index);
      const first = current.card.element.querySelector("a, button");
      if (first) first.focus();
    },
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function showOverview(query) {
  for (const [name, field] of Object.entries(filters)) field.value = query.get(name) || "";
  filter();
  view.hidden = true;
  list.hidden = false;
  document.title = title;
  if (current) {
    const last = body.querySelector('a.series[href="' + CSS.escape(address(current.ids)) + '"]');
    current.chart.destroy();
    current = null;
    view.replaceChildren();
    scrollTo(0, scrolled);
    if (last) last.focus({ preventScroll: true });
  }
}

// Shows the view that belongs to the address.
let shows = 0;
async function follow() {
  const number = ++shows;
  const [path, query] = location.hash.slice(1).split("?");
  const wanted = new URLSearchParams(query || "");
  if (!path.startsWith("/series/")) return showOverview(wanted);
  const names = path.slice("/series/".length).split("&").map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  const found = [...new Set(names.flatMap(find))];
  if (!list.hidden) scrolled = scrollY;
  const showMessage = (text) => view.replaceChildren(element("p", {}, element("a", { href: "#/" }, "← All series")), element("p", { class: "bad", role: "alert" }, text));
  list.hidden = true;
  view.hidden = false;
  scrollTo(0, 0);
  if (current) current.chart.destroy();
  current = null;
  if (!found.length) return showMessage("The page has no series named " + names.join(", ") + ".");
  try {
    const [commitPart, ...loaded] = await Promise.all([load("commits"), ...found.map((series) => load(series.file))]);
    if (number !== shows) return;
    commits = commitPart.commits;
    current = new SeriesView(found.map((series, index) => ({ series, part: loaded[index] })), wanted);
  } catch (error) {
    if (number === shows) showMessage(error.message);
  }
}

addEventListener("hashchange", follow);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (current) current.draw(); });
new ResizeObserver(() => {
  if (current && current.holder.clientWidth > 0 && current.holder.clientWidth !== current.chart.width) {
    current.chart.setSize({ width: current.holder.clientWidth, height: current.chart.height });
  }
}).observe(view);
follow();
