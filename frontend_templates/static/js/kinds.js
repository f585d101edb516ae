// What the kinds of field have of their own: the answer in words, what it still lacks, what it looks like. As
// annotations/schemes/fields; a test holds the two together.
import { points } from "./points.js";

const titleOf = (options, value) => options.find((one) => one.value === value)?.title ?? String(value);
const flat = (choices) => choices.flatMap((choice) => [choice, ...flat(choice.choices)]);

export const isOfStep = ({ target }) => ["step", "tool_call", "sentence"].includes(target);

const NONE = [{ value: "none", title: "none" }];

/** The fixed answers of a field, those of a tree in one row without its headings. */
export const optionsOf = ({ kind, choices = [], types = [], branches }) => (kind === "first_error" ? NONE : [...flat(choices).filter((one) => branches || !one.choices.length), ...types]);

/** The questions of a rubric: those of the place, else the scheme's own; criteria give way to their checks. */
export const asked = (spec, items) => (items ?? spec.items).flatMap((item) => (item.checks?.length ? item.checks : [item]));

const short = (number) => String(Number(number.toPrecision(6))); // as the server writes numbers
const turn = (step) => `turn ${step}`;

const WORDS = {
  choice: ({ choices }, value) => titleOf(choices, value),
  taxonomy: ({ choices }, value) => value.map((one) => titleOf(flat(choices), one)).join(", "),
  scale: ({ dimensions, marks, unit }, value) => {
    if (dimensions.length) return dimensions.filter(({ name }) => name in value).map(({ name, title }) => `${title} ${short(value[name])}`).join(", ");
    const mark = marks.find(({ at }) => at === value);
    return `${short(value)}${unit ? ` ${unit}` : ""}${mark ? ` (${mark.title})` : ""}`;
  },
  progress: (spec, value) => `${short(value)} %`,
  flag: () => "yes",
  first_error: (spec, value, nameOf) => (value === "none" ? "none" : nameOf(value)),
  intervention: (spec, { step, text }, nameOf) => `in place of ${nameOf(step)}: ${text}`,
  spans: ({ types }, value) => value.map(({ type }) => titleOf(types, type)).join(", "),
  rubric: (spec, value) => `${Object.values(value).filter((one) => one === "yes").length} of ${Object.values(value).filter((one) => one !== "na").length} yes`,
  preference: (spec, value) => {
    if (Array.isArray(value)) return value.map((group) => group.join(" = ")).join(" > ");
    return value === "tie" ? "tie" : `${value} is better`;
  },
};

/** The answer in a few words. `nameOf` says how a step is called that the answer names. */
export const words = (spec, value, nameOf = turn) => (WORDS[spec.kind] ? WORDS[spec.kind](spec, value, nameOf) : String(value));

const LACKING = {
  scale: ({ dimensions }, value) => dimensions.filter(({ name }) => !(name in value)).length,
  rubric: (spec, value, items) => asked(spec, items).filter(({ name }) => !(name in value)).length,
  spans: ({ evidence }, value) => (evidence === "required" ? value.filter((span) => !span.evidence).length : 0),
};

/** How many parts of its answer a person has still to give. */
export const lacking = (spec, value, items = null) => LACKING[spec.kind]?.(spec, value, items) ?? 0;

const declared = (options, chosen) => options.find((one) => one.tone && chosen.includes(one.value))?.tone;

const TONES = {
  choice: (spec, value) => declared(spec.choices, [value]) ?? byOrder(spec, value),
  taxonomy: (spec, value) => declared(optionsOf(spec), value) ?? "plain",
  scale: byHeight,
  progress: byHeight,
  first_error: (spec, value) => (value === "none" ? "right" : "wrong"),
  spans: ({ types }, value) => declared(types, value.map(({ type }) => type)) ?? "wrong",
  rubric: (spec, value) => {
    const got = spec.items_from === "scheme" ? points(spec, value) : null;
    return got === null ? "plain" : got === 1 ? "right" : got >= 0.5 ? "neutral" : "wrong";
  },
};

/** What the answer looks like in the strip: right, neutral, wrong or plain. */
export const tone = (spec, value) => TONES[spec.kind]?.(spec, value) ?? "plain";

// Right, neutral or wrong by the sign of the value where ordered answers go below zero, else by their place, the best first.
function byOrder({ level, choices }, value) {
  const values = choices.map((one) => one.value);
  const place = values.indexOf(value);
  if (level !== "ordinal" || place < 0) return "plain";
  const numbers = values.filter(Number.isInteger);
  if (numbers.length === values.length && Math.min(...numbers) < 0) return value > 0 ? "right" : value < 0 ? "wrong" : "neutral";
  return place === 0 ? "right" : place === values.length - 1 ? "wrong" : "neutral";
}

function byHeight({ better, min, max, dimensions }, value) {
  const total = dimensions.length ? meanOf(dimensions, value) : value;
  if (total === null || !better) return "plain";
  const height = (total - min) / (max - min);
  const share = better === "high" ? height : 1 - height;
  return share > 2 / 3 ? "right" : share >= 1 / 3 ? "neutral" : "wrong";
}

function meanOf(dimensions, value) {
  const weights = dimensions.reduce((sum, { weight }) => sum + weight, 0);
  if (!weights || dimensions.some(({ name }) => !(name in value))) return null;
  return dimensions.reduce((sum, { name, weight }) => sum + weight * value[name], 0) / weights;
}
