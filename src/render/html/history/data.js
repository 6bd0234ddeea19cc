// The data of the page, and texts for it. Names are only inserted as text.
const data = JSON.parse(document.getElementById("data").textContent);
const overview = data.overview;
const all = overview.series;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const isNumber = (value) => typeof value === "number";
const machineName = (machine) => (machine === "" || machine === "unknown" ? "unknown machine" : machine);
const plural = (count, noun) => count.toLocaleString("en") + " " + noun + (count === 1 ? "" : "s");

// Formats a fraction as a change; null means that the old level was zero.
const size = (fraction) => (isNumber(fraction) ? changeText(fraction) : "from zero");

function amount(value) {
  if (value === 0) return "0";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en");
  const large = Math.abs(value) >= 1000 && Math.abs(value) < 1e9;
  return large ? Math.round(value).toLocaleString("en") : value.toPrecision(4);
}

const withUnit = (value, unit) => amount(value) + (unit ? " " + unit : "");

function moment(seconds) {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
const day = (seconds) => (moment(seconds) || String(seconds)).slice(0, 10);
const minute = (seconds) => (moment(seconds) || String(seconds)).slice(0, 16).replace("T", " ");

const MARKS = { worse: "✗ worse", better: "✓ better", changed: "~ changed", unchanged: "–" };
const CLASSES = { worse: "bad", better: "good", changed: "open", unchanged: "dim" };
// The filter for series that the newest runs lack.
const GONE = "no longer measured";
const lastMeasured = (series) => "last measured " + day(series.newest) + (series.newest_commit ? " (" + series.newest_commit + ")" : "");
const UNDOES = "undoes an earlier change (back to the level before it)";
const kindOf = (change) => (!change ? "unchanged" : change.worse === true ? "worse" : change.worse === false ? "better" : "changed");
const classOf = (change) => (change && change.accepted ? "open" : CLASSES[kindOf(change)]);

// Files are scripts that call this function.
const parts = new Map();
const loads = new Map();
window.perfgate = (part) => parts.set(part.file, part);
for (const part of [data.commits, ...(data.series || [])]) if (part) parts.set(part.file, part);

function load(file) {
  if (parts.has(file)) return Promise.resolve(parts.get(file));
  if (loads.has(file)) return loads.get(file);
  const path = "data/" + file + ".js";
  const loading = new Promise((resolve, reject) => {
    const fail = () => { loads.delete(file); reject(new Error("cannot load " + path)); };
    const script = element("script", { src: path });
    script.addEventListener("load", () => (parts.has(file) ? resolve(parts.get(file)) : fail()));
    script.addEventListener("error", fail);
    document.head.append(script);
  });
  loads.set(file, loading);
  return loading;
}

// A commit is [id or null, time, subject, author].
let commits = [];
const shortId = (commit) => (commit[0] ? commit[0].slice(0, 10) : day(commit[1]));
const isHttps = (address) => address.startsWith("https://");

function link(template, names, text) {
  if (!overview.links || Object.values(names).some((id) => !/^[0-9a-f]{7,64}$/.test(id || ""))) return null;
  const address = Object.entries(names).reduce((whole, [name, id]) => whole.replace("{" + name + "}", id), overview.links[template]);
  return isHttps(address) ? element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text) : null;
}
const commitLink = (commit) => link("commit", { commit: commit[0] }, shortId(commit)) || document.createTextNode(shortId(commit));
const compareLink = (base, head, text) => link("compare", { base: base[0], head: head[0] }, text || shortId(base) + " … " + shortId(head));

// Addresses: #/series/NAME&NAME?from=COMMIT&to=COMMIT
const encoded = (id) => encodeURIComponent(id).replaceAll("%2F", "/");
const address = (ids) => "#/series/" + ids.map(encoded).join("&");
