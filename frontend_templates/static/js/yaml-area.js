// A text area for YAML: line numbers beside it, Tab that indents and can be left, and lines that are marked.

const INDENT = "  ";

/** Wraps a textarea and its gutter. Fires "input" as the textarea does; `onCaret(line, column)` follows the caret. */
export class YamlArea {
  constructor({ area, gutter, onCaret }) {
    Object.assign(this, { area, gutter, onCaret, marked: new Set(), free: false, lines: 0 });
    area.addEventListener("input", () => this.number());
    area.addEventListener("scroll", () => this.#follow(), { passive: true });
    area.addEventListener("keydown", (event) => this.#key(event));
    area.addEventListener("blur", () => (this.free = false));
    document.addEventListener("selectionchange", () => document.activeElement === area && this.#tell());
    this.number();
  }

  get text() {
    return this.area.value;
  }

  /** Another text in place of this one, as if it had been typed: the browser's own undo takes it back. */
  put(text) {
    this.area.focus();
    this.area.select();
    if (!document.execCommand("insertText", false, text)) this.area.value = text;
    this.area.setSelectionRange(0, 0);
    this.area.scrollTop = 0;
    this.number();
  }

  /** Mark these lines, counted from 1, and no others. */
  mark(lines) {
    this.marked = new Set(lines);
    [...this.gutter.children].forEach((line, place) => line.classList.toggle("bad", this.marked.has(place + 1)));
  }

  /** Put the caret at the beginning of what stands on the line, in sight. */
  goTo(line) {
    const rows = this.area.value.split("\n");
    const start = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
    const row = rows[line - 1] ?? "";
    this.area.focus();
    this.area.setSelectionRange(start + row.length - row.trimStart().length, start + row.length);
    const height = this.area.scrollHeight / rows.length;
    this.area.scrollTop = Math.max(0, (line - 1) * height - this.area.clientHeight / 2);
    this.area.scrollLeft = 0;
  }

  number() {
    const count = this.area.value.split("\n").length;
    if (count !== this.lines) {
      this.lines = count;
      this.gutter.replaceChildren(...Array.from({ length: count }, (_, place) => Object.assign(document.createElement("span"), { textContent: place + 1 })));
      this.mark(this.marked);
    }
    this.#follow();
  }

  #follow() {
    this.gutter.scrollTop = this.area.scrollTop;
  }

  #tell() {
    const before = this.area.value.slice(0, this.area.selectionStart).split("\n");
    this.onCaret(before.length, before.at(-1).length + 1);
  }

  // Tab indents, but for the one after Escape: nobody is caught in here.
  #key(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") this.free = true;
    else if (event.key !== "Tab") this.free = event.key === "Shift" && this.free;
    else if (!this.free) {
      event.preventDefault();
      this.#indent(event.shiftKey);
    }
  }

  #indent(back) {
    const { area } = this;
    const [start, end] = [area.selectionStart, area.selectionEnd];
    if (start === end && !back) return insert(INDENT);
    const first = area.value.lastIndexOf("\n", start - 1) + 1;
    const last = end > start && area.value[end - 1] === "\n" ? end - 1 : end;
    const rows = area.value.slice(first, last).split("\n");
    const moved = rows.map((row) => (back ? row.replace(/^ {1,2}/, "") : row && INDENT + row)).join("\n");
    area.setSelectionRange(first, last);
    insert(moved);
    if (start === end) area.setSelectionRange(...Array(2).fill(Math.max(first, start - (rows[0].length - moved.length))));
    else area.setSelectionRange(first, first + moved.length);
  }
}

// As if typed, so that the browser's undo knows it.
function insert(text) {
  document.execCommand("insertText", false, text);
}
