// What the keys and buttons of the label page do, by the names of the key table.
import { isOpenAt } from "./counts.js";
import { KINDS } from "./fields/index.js";
import { isOfStep, optionsOf } from "./kinds.js";

const GROWING = ["taxonomy", "rubric", "scale"]; // one key is not yet the whole answer
const WRITTEN = ["text", "correction"];

/** `desk` has the parts of the page; the scheme's own actions are named by it: "scheme/answer:field:value". */
export function deedsOf(desk) {
  const { data, store, steps, texts, find, ending, warnings, controls, wording, tell } = desk;
  const { scheme } = data;
  const isOpen = (step) => isOpenAt(store, step);
  const open = (deed) => (...given) => (desk.closed ? tell("This item is closed. Reopen it to change a label.") : deed(...given));
  const atStep = (deed) => open((...given) => (steps.current === null ? tell("This step is still on its way.") : deed(steps.current, ...given)));

  function set(spec, value) {
    const step = isOfStep(spec) ? steps.current : null;
    if (isOfStep(spec) && step === null) return tell("This step is still on its way.");
    const ghosts = store.ghosts.size;
    const field = controls.get(step)?.meant(spec)?.name ?? spec.name;
    store.change([{ step, field, value }]);
    desk.sayAnswer(step, field, store.ghosts.size - ghosts);
    const { parts, fields } = controls.get(step) ?? {};
    if (parts?.has(spec) && parts.answered(fields.get(field))) return undefined;
    if (!GROWING.includes(spec.kind) && value !== null) desk.done(spec);
    return undefined;
  }

  const page = {
    next: () => steps.move(1),
    previous: () => steps.move(-1),
    "next-open": () => steps.move(1, isOpen) || tell("No unlabelled step that way."),
    "previous-open": () => steps.move(-1, isOpen) || tell("No unlabelled step that way."),
    first: () => steps.first(),
    last: () => steps.last(),
    "previous-item": () => desk.goToItem("previous"),
    "next-item": () => desk.goToItem("next"),
    clear: atStep((step) => store.change(scheme.fields.filter((spec) => isOfStep(spec) && !WRITTEN.includes(spec.kind)).flatMap((spec) => store.names(step, spec)).map((field) => ({ step, field, value: null })))),
    "accept-suggestion": atStep((step) => desk.accept(step) || controls.get(step)?.takeProposed()),
    explain: open(() => desk.explain()),
    undo: open(() => desk.goBack("Undone", () => store.undo()) || tell("There is nothing to undo.")),
    redo: open(() => desk.goBack("Redone", () => store.redo()) || tell("There is nothing to redo.")),
    fold: () => texts.fold(steps.card(steps.current)),
    "fold-all": () => texts.foldAll(),
    rendered: () => {
      texts.setRendered(!texts.rendered);
      tell(texts.rendered ? "Texts are drawn where they can be." : "Texts are shown as they were written.");
    },
    warnings: () => warnings.next(),
    guidelines: () => desk.showGuidelines(),
    find: () => find.open(),
    leave: ({ target }) => desk.leaveText(target),
    submit: open(() => ending.submit()),
    "submit-all": open(() => ending.submit({ all: true })),
    skip: open(() => ending.skip()),
    reopen: () => ending.reopen(),
    others: () => desk.showOthers(),
    reveal: open(() => ending.reveal()),
    keys: () => desk.showKeys(),
  };
  if (scheme.propagation && data.propagation === "suggest") page["accept-ghosts"] = open(() => tell(store.acceptGhosts() ? "Accepted what was carried on." : "Nothing is carried on."));
  return { ...page, ...ofScheme(desk, set, open) };
}

function ofScheme(desk, set, open) {
  const { data, controls, steps, tell } = desk;
  const { scheme } = data;
  const deeds = {};
  const at = (spec, deed) => {
    const place = isOfStep(spec) ? steps.current : null;
    if (isOfStep(spec) && place === null) return tell("This step is still on its way.");
    const field = controls.get(place)?.meant(spec);
    if (!field) return (controls.get(place)?.parts.isDoneWith(spec) && steps.move(1)) || tell(`${spec.title} is not asked here.`);
    const value = deed(field);
    return value === undefined ? undefined : set(spec, value);
  };
  for (const spec of scheme.fields) {
    const kind = KINDS[spec.kind];
    deeds[`${scheme.name}/field:${spec.name}`] = open(() => {
      if (!isOfStep(spec) && kind?.focus && !kind.here) desk.showWhole();
      return at(spec, (field) => kind?.key?.(field, steps.current));
    });
    for (const { value } of optionsOf(spec)) {
      deeds[`${scheme.name}/answer:${spec.name}:${value}`] = open(() => {
        const meant = isOfStep(spec) && desk.held ? desk.held : spec;
        if (!optionsOf(meant).some((option) => option.value === value)) return tell(`${meant.title} has no such answer.`);
        return at(meant, (field) => KINDS[meant.kind].option?.(field, value));
      });
      deeds[`${scheme.name}/settle:${spec.name}:${value}`] = open(() => settle(desk, spec, value));
    }
  }
  return deeds;
}

// One answer for all that is open: the best before the step, this one from it on; never for what was not in sight.
function settle({ store, steps, tell, sayAnswer }, spec, value) {
  if (steps.current === null) return tell("This step is still on its way.");
  if (spec.target !== "step") return tell(`${spec.title} is asked of parts: settle them one by one.`);
  const here = steps.numberOf(steps.current);
  const carries = store.propagation !== "off" && store.scheme.propagation?.value === value;
  const open = steps.order.filter((step) => step !== steps.current && !store.label(step, spec.name));
  // What carries on needs no label of its own, but where something else is offered.
  const wanted = open.filter((step) => steps.numberOf(step) < here || !carries || store.offer(step));
  const items = wanted.filter((step) => steps.seen.has(step)).map((step) => ({ step, field: spec.name, value: steps.numberOf(step) < here ? spec.choices[0].value : value }));
  store.change([{ step: steps.current, field: spec.name, value }, ...items]);
  const unseen = wanted.length - items.length;
  tell(`Settled ${items.length + 1} step${items.length ? "s" : ""}${unseen ? `; ${unseen} not yet in sight stay open` : ""}. Undo takes it back.`);
  if (store.value(steps.order.at(-1), spec.name) !== null) steps.last();
  return sayAnswer;
}
