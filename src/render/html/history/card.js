// What a chart shows of one commit: while the pointer or an arrow key is on it, and with links after a click or Enter.
class Card {
  constructor(columns, actions) {
    this.columns = columns;
    this.actions = actions;
    this.element = element("div", { class: "card", hidden: "" });
    this.index = null;
    this.isPinned = false;
  }

  // The values of the lines at a commit, as texts.
  values(index) {
    return this.columns.lines.flatMap((line) => {
      const point = line.at.indexOf(index);
      if (point < 0) return [];
      const text = withUnit(line.part.values[point], line.series.unit);
      const before = point > 0 ? line.part.values[point - 1] : 0;
      const change = before ? size(line.part.values[point] / before - 1) : "";
      const runs = line.part.runs ? line.part.runs[point] : 1;
      return [{ line, text, change, runs, found: line.part.changes.find((one) => one.at === point) }];
    });
  }

  describe(index) {
    const commit = this.columns.commit(index);
    const several = this.columns.lines.length > 1;
    const values = this.values(index).map((value) => (several ? value.line.series.id + " " : "") + value.text);
    return [minute(commit[1]), shortId(commit), values.join(", "), commit[2]].filter(Boolean).join("; ");
  }

  show(index, left) {
    this.index = index;
    const commit = this.columns.commit(index);
    const several = this.columns.lines.length > 1;
    const rows = this.values(index).map((value) => {
      const name = several ? element("span", { class: "dim" }, value.line.series.id + " ") : null;
      if (name) name.style.color = value.line.colour;
      const detail = [value.change && (several ? value.change : "from the commit before: " + value.change), value.runs > 1 && plural(value.runs, "run")].filter(Boolean).join("; ");
      return element("div", { dir: "auto" }, name, element("strong", {}, value.text), detail ? element("span", { class: "dim" }, (several ? " " : "; ") + detail) : null);
    });
    const changes = this.values(index).filter((value) => value.found).map((value) => {
      const { found } = value;
      const what = (found.kind === "drift" ? "drift " : "level ") + size(found.change);
      return element("div", { class: classOf(found) }, MARKS[kindOf(found)] + ": " + what + (found.accepted ? ", accepted" : "") + (found.undoes_previous ? "; " + UNDOES : ""));
    });
    const author = commit[3] ? " by " + commit[3] : "";
    const date = element("div", { class: "dim" }, minute(commit[1]) + " UTC, ", this.isPinned ? commitLink(commit) : shortId(commit), author);
    const subject = commit[2] ? element("div", { class: "subject", dir: "auto" }, commit[2]) : null;
    this.element.replaceChildren(...rows, ...changes, date, ...(subject ? [subject] : []), ...(this.isPinned ? [this.tools(index)] : []));
    this.element.classList.toggle("pinned", this.isPinned);
    this.element.hidden = false;
    // Next to the commit, so that the change at it stays in view.
    const [room, width] = [this.element.parentElement.clientWidth, this.element.offsetWidth];
    const right = left + 16 + width <= room;
    this.element.style.left = Math.max(0, right ? left + 16 : Math.min(left - 16, room) - width) + "px";
  }

  tools(index) {
    const commit = this.columns.commit(index);
    const before = index > 0 ? this.columns.commit(index - 1) : null;
    const button = (text, act) => {
      const made = element("button", { type: "button" }, text);
      made.addEventListener("click", act);
      return made;
    };
    return element("div", { class: "buttons" },
      before && compareLink(before, commit, "Changes from the commit before"),
      button("Use as base", () => this.actions.choose("base", index)),
      button("Use as head", () => this.actions.choose("head", index)),
      button("Close", () => this.actions.close()));
  }

  pin(index, left) {
    this.isPinned = true;
    this.show(index, left);
  }

  hide() {
    this.isPinned = false;
    this.index = null;
    this.element.hidden = true;
  }
}
