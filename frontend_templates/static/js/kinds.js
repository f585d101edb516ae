// What the kinds of field have of their own: the answer in words, and what it still lacks. As annotations/schemes/fields.

const titleOf = (options, value) => options.find((one) => one.value === value)?.title ?? String(value);
const flat = (choices) => choices.flatMap((choice) => [choice, ...flat(choice.choices)]);

export const isOfStep = ({ target }) => ["step", "tool_call", "sentence"].includes(target);

/** The fixed answers of a field, those of a tree in one row without its headings. */
export const optionsOf = ({ choices = [], types = [], branches }) => [...flat(choices).filter((one) => branches || !one.choices.length), ...types];

/** The questions of a rubric: those of the place, else the scheme's own; criteria give way to their checks. */
export const asked = (spec, items) => (items ?? spec.items).flatMap((item) => (item.checks?.length ? item.checks : [item]));

const WORDS = {
  choice: ({ choices }, value) => titleOf(choices, value),
  taxonomy: ({ choices }, value) => value.map((one) => titleOf(flat(choices), one)).join(", "),
  scale: ({ dimensions, marks, unit }, value) => {
    if (dimensions.length) return dimensions.filter(({ name }) => name in value).map(({ name, title }) => `${title} ${value[name]}`).join(", ");
    const mark = marks.find(({ at }) => at === value);
    return `${value}${unit ? ` ${unit}` : ""}${mark ? ` (${mark.title})` : ""}`;
  },
  progress: (spec, value) => `${value} %`,
  flag: () => "yes",
  first_error: (spec, value) => (value === "none" ? "none" : `turn ${value}`),
  intervention: (spec, { step, text }) => `in place of turn ${step}: ${text}`,
  spans: ({ types }, value) => value.map(({ type }) => titleOf(types, type)).join(", "),
  rubric: (spec, value) => `${Object.values(value).filter((one) => one === "yes").length} of ${Object.values(value).filter((one) => one !== "na").length} yes`,
  preference: (spec, value) => {
    if (Array.isArray(value)) return value.map((group) => group.join(" = ")).join(" > ");
    return value === "tie" ? "tie" : `${value} is better`;
  },
};

export const words = (spec, value) => (WORDS[spec.kind] ? WORDS[spec.kind](spec, value) : String(value));

const LACKING = {
  scale: ({ dimensions }, value) => dimensions.filter(({ name }) => !(name in value)).length,
  rubric: (spec, value, items) => asked(spec, items).filter(({ name }) => !(name in value)).length,
  spans: ({ evidence }, value) => (evidence === "required" ? value.filter((span) => !span.evidence).length : 0),
};

/** How many parts of its answer a person has still to give. */
export const lacking = (spec, value, items = null) => LACKING[spec.kind]?.(spec, value, items) ?? 0;
