// An order as it is stored: groups from the best to the worst, who shares a place in one group, each group ascending.

export const TIE = "tie";

export const ranked = (groups) => groups.filter((group) => group.length).map((group) => [...group].sort((one, other) => one - other));

/** The candidate one place up (-1) or down (1): out of a place it shares, else past the ones beside it. */
export function moved(groups, candidate, by) {
  const at = groups.findIndex((group) => group.includes(candidate));
  const rest = groups.map((group) => group.filter((one) => one !== candidate));
  if (groups[at].length > 1) rest.splice(by < 0 ? at : at + 1, 0, [candidate]);
  else rest.splice(Math.max(0, at + by + (by > 0 ? 1 : 0)), 0, [candidate]);
  return ranked(rest);
}

/** The candidate on one place with those above it; where it shares its place already, by itself below them. Null where
 * nobody is above. */
export function tied(groups, candidate) {
  const at = groups.findIndex((group) => group.includes(candidate));
  if (groups[at].length > 1) return moved(groups, candidate, 1);
  if (at === 0) return null;
  const joined = groups.map((group, place) => (place === at - 1 ? [...group, candidate] : group.filter((one) => one !== candidate)));
  return ranked(joined);
}
