// What the keys of this page are: its own, and those that the scheme brings.

/** Rows for Keys. `page` has the deeds by name; the scheme says which fields and answers have keys. */
export function bindings(scheme, page) {
  return [
    { group: "Move", keys: ["j", "ArrowDown"], title: "next step", repeats: true, run: () => page.move(1) },
    { group: "Move", keys: ["k", "ArrowUp"], title: "previous step", repeats: true, run: () => page.move(-1) },
    { group: "Move", keys: ["J"], title: "next unlabelled step", run: () => page.moveToOpen(1) },
    { group: "Move", keys: ["K"], title: "previous unlabelled step", run: () => page.moveToOpen(-1) },
    { group: "Move", keys: ["g g"], title: "first step", run: () => page.first() },
    { group: "Move", keys: ["G"], title: "last step", run: () => page.last() },
    { group: "Move", keys: ["["], title: "previous item of mine", run: () => page.item("previous") },
    { group: "Move", keys: ["]"], title: "next item of mine", run: () => page.item("next") },
    ...scheme.fields.flatMap((spec) => ofField(spec, page)),
    { group: "Label", keys: ["x"], title: "clear the step's labels", run: () => page.clear() },
    ...(page.accept ? [{ group: "Label", keys: ["p"], title: "accept what is suggested", run: () => page.accept() }] : []),
    { group: "Label", keys: ["u", "Mod+z"], title: "undo", run: () => page.undo() },
    { group: "Label", keys: ["Mod+Shift+z"], title: "redo", run: () => page.redo() },
    { group: "Read", keys: ["o"], title: "fold or unfold the step", run: () => page.fold(false) },
    { group: "Read", keys: ["O"], title: "fold or unfold everything", run: () => page.fold(true) },
    ...(page.explain ? [{ group: "Read", keys: ["e"], title: "why a score is what it is", run: () => page.explain() }] : []),
    { group: "Read", keys: ["/"], title: "find", run: () => page.find() },
    { group: "Read", keys: ["Escape"], title: "leave the text field", inText: true, run: (event) => page.leave(event.target) },
    { group: "Item", keys: ["Mod+Enter"], title: "submit and go to the next (also inside text)", inText: true, run: () => page.submit() },
    { group: "Item", keys: ["s"], title: "skip, with a reason", run: () => page.skip() },
    { group: "Item", keys: ["?"], title: "this list", run: () => page.help() },
  ];
}

function ofField(spec, page) {
  const answers = spec.choices
    .filter((choice) => choice.keys.length)
    .map((choice) => ({ group: "Label", keys: choice.keys, title: `${spec.title}: ${choice.title}`, run: () => page.answer(spec, choice.value) }));
  if (!spec.key) return answers;
  const deeds = { choice: ["next answer", () => page.cycle(spec)], flag: ["on or off", () => page.toggle(spec)], text: ["write", () => page.write(spec)] };
  const [title, run] = deeds[spec.kind];
  return [...answers, { group: "Label", keys: [spec.key], title: `${spec.title}: ${title}`, run }];
}
