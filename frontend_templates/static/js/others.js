// After handing in: what the others said, without names, on the strip.
import { equal } from "./answers.js";

export async function showOthers({ ending, store, wording, marks, tell }, strip) {
  const others = await ending.others();
  if (!others) return;
  const { main } = store.scheme;
  for (const [step, counts] of Object.entries(others)) {
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    const differ = counts.reduce((sum, [value, count]) => sum + (equal(value, store.value(Number(step), main)) ? 0 : count), 0);
    marks.set(Number(step), { share: differ / total, title: `Others: ${counts.map(([value, count]) => `${count} ${wording.title(main, value)}`).join(", ")}` });
  }
  strip.build();
  for (const deed of ["others", "reopen"]) document.querySelector(`[data-do=${deed}]`).hidden = true; // who has seen them cannot reopen
  const differ = Object.keys(others).filter((step) => marks.get(Number(step)).share > 0).length;
  tell(differ ? `Others differ from you at ${differ} step${differ === 1 ? "" : "s"}: see the strip.` : "Nobody said anything else.");
}
