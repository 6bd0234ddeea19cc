// A chart of one or several series over their commits, drawn by uPlot.
const LINES = 6;
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const colourOf = (change) => colour(classOf(change));

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 86400;

// Dates in UTC, with the year or the day in a second line where it changes.
function dates(splits, step) {
  let before = null;
  return splits.map((split) => {
    if (!moment(split)) return "";
    const date = new Date(split * 1000);
    const [year, dayOfMonth] = [String(date.getUTCFullYear()), date.getUTCDate() + " " + MONTHS[date.getUTCMonth()]];
    const [text, below] = step >= 365 * DAY ? [year, ""]
      : step >= 28 * DAY ? [MONTHS[date.getUTCMonth()], year]
      : step >= DAY ? [dayOfMonth, year] : [minute(split).slice(11), dayOfMonth + " " + year];
    const isNew = below !== "" && below !== before;
    before = below;
    return isNew ? text + "\n" + below : text;
  });
}

// The columns of a chart: one position for each commit that one of the lines has. Lines of several units are drawn as changes
// from their first level. All lines are drawn so if the reader selects it.
class Columns {
  constructor(lines, options) {
    this.lines = lines;
    this.places = [...new Set(lines.flatMap((line) => line.part.commits))].sort((a, b) => a - b);
    const position = new Map(this.places.map((place, index) => [place, index]));
    this.isRelative = options.relative || new Set(lines.map((line) => line.series.base_unit)).size > 1;
    // Lines of one unit share the scale of the largest.
    const largest = lines.reduce((most, line) => (line.series.factor > most.factor ? line.series : most), lines[0].series);
    this.unit = this.isRelative ? "%" : largest.unit;
    for (const line of lines) {
      const first = line.part.levels.length ? line.part.levels[0].level : line.part.values[0];
      line.drawn = this.isRelative
        ? (value) => (first ? (value / first - 1) * 100 : null)
        : (value) => value * line.series.factor / largest.factor;
      line.at = line.part.commits.map((place) => position.get(place));
      line.column = Array(this.places.length).fill(null);
      line.part.values.forEach((value, i) => { line.column[line.at[i]] = line.drawn(value); });
    }
    // A commit that is dated before the one it follows is drawn at the date of that one.
    let latest = -Infinity;
    this.times = this.places.map((place) => (latest = Math.max(latest, commits[place][1])));
    this.isEven = options.even || this.times.length < 2 || this.times[0] === latest;
    this.x = this.isEven ? this.times.map((_, i) => i) : this.times;
  }

  commit(index) { return commits[this.places[index]]; }
  index(place) { return this.places.indexOf(place); }
}

// Room around the values; noise alone does not fill the height.
function heights(low, high, fromZero) {
  if (!isNumber(low) || !isNumber(high)) return [0, 1];
  if (fromZero) return [Math.min(0, low * 1.05), Math.max(0, high * 1.05) || 1];
  const room = Math.max((high - low) * 0.1, Math.abs(high) * 0.025, 1e-12);
  return [low - room, high + room];
}

// Possible commits of each change as a band, the levels, and marks at changes, the epoch and ends of waivers.
function marks(chart, columns) {
  const { ctx, bbox } = chart;
  const x = (index) => chart.valToPos(columns.x[index], "x", true);
  const ratio = devicePixelRatio;
  const clip = (draw) => () => {
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.font = 12 * ratio + "px system-ui, sans-serif";
    draw();
    ctx.restore();
  };
  const single = columns.lines.length === 1;
  const back = clip(() => {
    for (const line of single ? columns.lines : []) {
      for (const change of line.part.changes) {
        const [from, to] = [x(line.at[change.first]), x(line.at[change.last])];
        ctx.fillStyle = colourOf(change);
        ctx.globalAlpha = 0.16;
        ctx.fillRect(from - 4 * ratio, bbox.top, Math.max(to - from, 0) + 8 * ratio, bbox.height);
      }
    }
  });
  // Labels of the dashed lines so far, each with its row from the bottom and its ends.
  let labels = [];
  const upright = (at, text, firstRow) => {
    if (labels.some((label) => label.at === at && label.text === text)) return;
    ctx.strokeStyle = ctx.fillStyle = colour("front");
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    const isRight = at > bbox.left + bbox.width / 2;
    const start = at + 4 * ratio - (isRight ? ctx.measureText(text).width + 8 * ratio : 0);
    const end = start + ctx.measureText(text).width;
    // In the first row without a label at this place. If there is none, the text below the chart has the date.
    const isFree = (row) => labels.every((label) => label.row !== row || end + 6 * ratio < label.start || start > label.end + 6 * ratio);
    const row = [0, 1, 2, 3, 4].map((further) => firstRow + further).find(isFree);
    labels.push({ at, text, row, start, end });
    ctx.textAlign = "left";
    if (row !== undefined) ctx.fillText(text, start, bbox.top + bbox.height - (6 + 14 * row) * ratio);
  };
  const front = clip(() => {
    labels = [];
    const free = [-Infinity, -Infinity]; // where each of two rows of labels ends
    for (const line of columns.lines) {
      const y = (value) => chart.valToPos(line.drawn(value), "y", true);
      ctx.strokeStyle = single ? colour("front") : line.colour;
      ctx.lineWidth = 2 * ratio;
      for (const { start, end, level } of line.part.levels) {
        ctx.beginPath();
        ctx.moveTo(x(line.at[start]) - 3 * ratio, y(level));
        ctx.lineTo(x(line.at[end - 1]) + 3 * ratio, y(level));
        ctx.stroke();
      }
      for (const change of line.part.changes) {
        const kind = kindOf(change);
        const at = x(line.at[change.at]);
        const text = MARKS[kind][0] + " " + size(change.change) + (change.accepted ? " accepted" : "");
        ctx.fillStyle = colourOf(change);
        ctx.textAlign = "center";
        if (single && at > bbox.left && at < bbox.left + bbox.width) {
          // A label that would cover others is left out; the table has all.
          const width = ctx.measureText(text).width;
          const middle = Math.min(Math.max(at, bbox.left + width / 2 + 4), bbox.left + bbox.width - width / 2 - 4);
          const row = free.findIndex((end) => middle - width / 2 > end);
          if (row >= 0) {
            ctx.fillText(text, middle, bbox.top + (14 + 16 * row) * ratio);
            free[row] = middle + width / 2 + 6 * ratio;
          }
        }
        const top = y(line.part.values[change.at]);
        const up = change.change === null || change.change > 0 ? 1 : -1;
        ctx.beginPath();
        ctx.moveTo(at, top - 7 * up * ratio);
        ctx.lineTo(at - 6 * ratio, top + 4 * up * ratio);
        ctx.lineTo(at + 6 * ratio, top + 4 * up * ratio);
        ctx.closePath();
        ctx.fill();
        if (change.accepted) {
          ctx.fillStyle = colour("back");
          ctx.beginPath();
          ctx.arc(at, top, 2 * ratio, 0, 7);
          ctx.fill();
        }
      }
      if (line.series.epoch) upright(x(line.at[0]), "epoch " + day(line.series.epoch.start), 0);
      for (const waiver of line.part.waivers) {
        const until = Date.parse(waiver.until) / 1000;
        if (columns.isEven || !isNumber(until)) continue;
        const at = chart.valToPos(until, "x", true);
        if (at > bbox.left && at < bbox.left + bbox.width) upright(at, "waiver until " + waiver.until, 1);
      }
    }
  });
  return { back, front };
}

// Creates a chart in an element. `listen` gets the index of the commit under the pointer, clicks, and the visible range.
function makeChart(holder, columns, options, listen) {
  const dim = colour("dim");
  const font = "12px system-ui, sans-serif";
  const grid = { stroke: colour("line"), width: 1 };
  const common = { stroke: dim, font, grid, ticks: grid };
  const title = columns.isRelative ? "change from the first level" : "";
  const lines = columns.lines.map((line, index) => {
    const dash = DASHES[Math.floor(index / LINES) % DASHES.length];
    line.colour = colour("line" + (1 + index % LINES));
    const dots = columns.places.length < 400 || columns.lines.length === 1;
    return {
      label: line.series.id, stroke: line.colour, width: columns.lines.length === 1 ? 0.5 : 1.5, dash, spanGaps: true,
      points: { show: dots, size: columns.places.length > 400 ? 4 : 5, fill: line.colour, stroke: line.colour },
    };
  });
  let drawn = null;
  const draw = (layer) => (chart) => { drawn ||= marks(chart, columns); drawn[layer](); };
  const chart = new uPlot({
    width: Math.max(holder.clientWidth, 200), height: options.height, legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    cursor: { y: false, drag: { x: true, y: false, dist: 6 } },
    scales: {
      x: { time: !columns.isEven, range: (_, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
      y: { range: (_, low, high) => heights(low, high, options.zero) },
    },
    axes: [
      { ...common, space: 70, size: 44,
        incrs: columns.isEven ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] : undefined,
        values: (_, splits, axis, space, step) => (columns.isEven
          ? splits.map((split) => (columns.times[split] === undefined ? "" : day(columns.times[split])))
          : dates(splits, step)) },
      { ...common, size: (_, texts) => 22 + 7 * Math.max(4, ...(texts || []).map((text) => text.length)), label: title || undefined,
        labelFont: font,
        values: (_, splits) => splits.map((split) => (columns.isRelative ? relative(Number(split.toPrecision(6))) : plain(split) + (columns.unit ? " " + columns.unit : ""))) },
    ],
    series: [{}, ...lines],
    hooks: {
      drawClear: [draw("back")],
      draw: [draw("front")],
      setCursor: [(chart) => listen.hover(chart.cursor.left < 0 ? null : chart.cursor.idx)],
      setScale: [(chart, key) => { if (key === "x") listen.zoom(chart.scales.x.min, chart.scales.x.max); }],
    },
  }, [columns.x, ...columns.lines.map((line) => line.column)], holder);
  // After uPlot's own listener, which swallows the click at the end of a drag.
  chart.over.addEventListener("click", () => listen.click(chart.cursor.idx));
  return chart;
}

// A change on an axis, in percent; as a factor from where changeText writes one.
const relative = (percent) => (percent >= 100 * FACTOR ? amount(1 + percent / 100) + "×" : (percent > 0 ? "+" : percent < 0 ? "−" : "") + amount(Math.abs(percent)) + "%");

// A number of an axis, without the digits that rounding leaves.
const plain = (value) => Number(value.toPrecision(6)).toLocaleString("en", { maximumSignificantDigits: 6 });
