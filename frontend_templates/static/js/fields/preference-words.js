// Who is compared, by the letters the rater knows them by.
import { TIE } from "./preference-value.js";

/** The letter of a candidate among those it is compared with. `all` are they, in the rater's order. */
export function letterOf(all, candidate) {
  const at = all.indexOf(candidate);
  return at < 0 ? "one that is gone" : String.fromCharCode(65 + (at % 26)) + (at < 26 ? "" : Math.floor(at / 26));
}

/** An answer in words. `candidates` are all that are compared on the page: the rollouts under "", siblings by their first. */
export function preferred({ target }, value, candidates = {}) {
  const named = [value].flat(2);
  const groups = Object.entries(candidates).filter(([first]) => (first === "") === (target === "task")).map(([, group]) => group);
  const all = groups.find((group) => group.includes(named[0])) ?? [];
  if (Array.isArray(value)) return value.map((group) => group.map((one) => letterOf(all, one)).join(" = ")).join(" > ");
  return value === TIE ? "tie" : `${letterOf(all, value)} is better`;
}
