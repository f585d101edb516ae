// Parts of a step that fields are asked of: its calls, the sentences of its message. One part is the one that keys are meant
// for: the first that is still open, or the one that somebody went to; when its answers are given, the next one is.

const WRITTEN = ["text", "correction"]; // what nobody must give

/** The parts of one step, in the order of the page. `fields` are all of its fields by name. */
export class Parts {
  constructor(root, fields, { store, step }) {
    this.boxes = [...root.querySelectorAll("[data-part-box]")];
    this.fields = [...fields.values()].filter(({ element }) => element.closest("[data-part-box]"));
    this.here = null; // where somebody went
    for (const { name, spec } of this.fields) learn(store, step, spec.name, name.split("@")[1]);
    for (const box of this.boxes) box.addEventListener("focusin", () => this.#go(box));
  }

  has(spec) {
    return this.fields.some((one) => one.spec === spec);
  }

  /** The part that keys are meant for; null where every one is answered. */
  get current() {
    return this.here ?? this.boxes.find((box) => this.#isOpen(box)) ?? null;
  }

  /** The field of the part that keys are meant for. What nobody must give can be written where all is answered, too. */
  meant(spec) {
    const box = this.current;
    const asked = this.fields.filter((one) => one.spec === spec && !one.element.hidden);
    const here = asked.find(({ element }) => box?.contains(element));
    if (here || box || !WRITTEN.includes(spec.kind)) return here ?? null;
    return asked.find(({ value }) => value === null) ?? asked[0] ?? null;
  }

  /** Whether the field is asked of parts, and each of them has its answers. */
  isDoneWith(spec) {
    return this.has(spec) && this.current === null && !WRITTEN.includes(spec.kind);
  }

  /** Go to the part beside the one that keys are meant for. */
  move(by) {
    const from = this.boxes.indexOf(this.current);
    const next = this.boxes[from < 0 ? (by > 0 ? 0 : this.boxes.length - 1) : from + by];
    if (!next) return false;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", behavior: "instant" });
    return true;
  }

  /** A key gave an answer there: on to the next part that is open, once this one is not. Returns whether any is. */
  answered(field) {
    const box = field.element.closest("[data-part-box]");
    if (this.#isOpen(box)) {
      this.here = box;
      this.paint();
      return true;
    }
    const at = this.boxes.indexOf(box);
    const next = [...this.boxes.slice(at + 1), ...this.boxes.slice(0, at)].find((one) => this.#isOpen(one)) ?? null;
    this.here = next;
    if (next && box.contains(document.activeElement)) next.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest", behavior: "instant" });
    this.paint();
    return next !== null;
  }

  /** Mark the part that keys are meant for. */
  paint() {
    const { current } = this;
    for (const box of this.boxes) {
      box.toggleAttribute("data-meant", box === current);
      box.toggleAttribute("data-done", !this.#isOpen(box));
    }
  }

  #go(box) {
    if (this.here === box) return;
    this.here = box;
    this.paint();
  }

  #of(box) {
    return this.fields.filter(({ element }) => box?.contains(element));
  }

  #isOpen(box) {
    const asked = this.#of(box).filter(({ element }) => !element.hidden);
    const needed = asked.some(({ spec }) => spec.required) ? asked.filter(({ spec }) => spec.required) : asked.filter(({ spec }) => !WRITTEN.includes(spec.kind));
    return needed.some(({ value }) => value === null);
  }
}

// A pass that comes to its steps one by one learns their parts with them.
function learn({ parts: all }, step, name, part) {
  const known = ((all[step] ??= {})[name] ??= []);
  if (!known.includes(part)) known.push(part);
}

/** What the keys do that go from part to part, and how parts are called. */
export function parts({ data: { scheme }, store, steps, controls, tell, wording }) {
  wording.part = (step, field) => nameOf(store, step, field);
  if (!scheme.fields.some(({ target }) => target === "tool_call" || target === "sentence")) return undefined;
  const move = (by) => controls.get(steps.current)?.parts.move(by) || tell(by > 0 ? "No part after this one." : "No part before this one.");
  return { "next-part": () => move(1), "previous-part": () => move(-1) };
}

/** "call 2", "sentence 3"; "" of what is asked of no part. */
function nameOf(store, step, field) {
  const [name, part = ""] = field.split("@");
  if (part.startsWith("call-")) return `call ${Number(part.slice(5)) + 1}`;
  const place = step === null ? -1 : (store.parts[step]?.[name] ?? []).indexOf(part);
  return place < 0 ? "" : `sentence ${place + 1}`;
}
