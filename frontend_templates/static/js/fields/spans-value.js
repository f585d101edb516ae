// The answer of a spans field as a list: always a new one, in reading order, as annotations/schemes/fields/spans.py wants it.

const RANKS = ["reasoning", "message", "call", "observation"];
const rank = (part) => [RANKS.indexOf(part.split("-")[0]), Number(part.split("-")[1] ?? 0)];
const textual = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
const keyOf = ({ part, start, end, type }) => `${part}:${start}:${end}:${type}`;

function before(one, other) {
  const [[kind, number], [kindToo, numberToo]] = [rank(one.part), rank(other.part)];
  return kind - kindToo || number - numberToo || one.start - other.start || one.end - other.end || textual(String(one.type), String(other.type));
}

/** In reading order, each stretch of a type once. */
const ordered = (spans) => [...new Map(spans.map((span) => [keyOf(span), span])).values()].sort(before);

export const same = (one, other) => Boolean(one && other) && keyOf(one) === keyOf(other);

/** Whether two stretches have a character in common. */
export const overlap = (one, other) => one.part === other.part && one.start < other.end && other.start < one.end;

/** With one more. */
export const withOne = (spans, span) => ordered([...(spans ?? []), span]);

/** Without one; null where none is left. */
export function without(spans, span) {
  const rest = (spans ?? []).filter((one) => !same(one, span));
  return rest.length ? rest : null;
}

/** With `now` in the place of `span`. A key that is undefined there is taken away. */
export function changed(spans, span, now) {
  const whole = Object.fromEntries(Object.entries(now).filter(([, value]) => value !== undefined));
  return ordered(spans.map((one) => (same(one, span) ? whole : one)));
}

/** Whether a scheme takes the span beside these. */
export const fits = (spec, spans, span) => spec.overlap || !(spans ?? []).some((one) => overlap(one, span));

/** "Message", "Result 2": how a text of a step is called. */
export function nameOf(part) {
  const [kind, number] = part.split("-");
  const name = { message: "Message", reasoning: "Reasoning", call: "Call", observation: "Result" }[kind];
  return number === undefined ? name : `${name} ${Number(number) + 1}`;
}
