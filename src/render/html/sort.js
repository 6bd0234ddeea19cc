// Sorting a table by one of its columns, for the report and the history page.

// The order of the rows by `keys`, numbers or texts, one a row. Rows without a value come last both ways. Each click on a header turns
// the order round; the first one shows the largest numbers, and texts from A to Z.
function sortedOrder(header, keys) {
  const isText = keys.some((key) => typeof key === "string");
  const first = isText ? "ascending" : "descending";
  const isDescending = header.getAttribute("aria-sort") === first ? isText : !isText;
  for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  const collator = new Intl.Collator();
  const compare = (a, b) => (isText ? collator.compare(keys[a], keys[b]) : keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0);
  const isMissing = (index) => (keys[index] === null || keys[index] === undefined || keys[index] === "" ? 1 : 0);
  const order = Array.from(keys.keys());
  return order.sort((a, b) => isMissing(a) - isMissing(b) || (isDescending ? compare(b, a) : compare(a, b)) || a - b);
}
