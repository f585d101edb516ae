// The next item is leased, and its page fetched, while one still looks this one over: handing in goes straight there.
import { make } from "./dialogs.js";
import { post } from "./doors.js";

const CALM = 150; // ms without a change after which it is worth looking whether anything is missing
const FRESH = 240_000; // ms: browsers keep what they fetched ahead for five minutes

export function ahead({ closed, data, store, ending, sender }) {
  refresh(sender);
  if (closed || (data.mode === "progressive" && !data.revealed)) return undefined;
  let calm = null;
  let asked = false;

  // Steps are counted before they are looked at: a long trajectory has many.
  const ofStep = store.scheme.fields.find(({ name }) => name === store.scheme.main).target === "step";
  const mayBeDone = () => !ofStep || store.view.of(store.scheme.main).size + store.ghosts.size + store.offered.size >= store.steps.length;

  async function look() {
    if (asked || !mayBeDone() || store.missing().missing.length) return;
    asked = true;
    setTimeout(() => (asked = ending.ahead = null), FRESH);
    const { kind, data: next } = await post(data.doors.ahead, {});
    if (kind === "done" && next.url) ending.ahead = fetched(next.url);
  }

  store.addEventListener("change", () => {
    clearTimeout(calm);
    calm = setTimeout(look, CALM);
  });
  return undefined;
}

// Where a browser knows no such rules, the page comes when it is asked for.
function fetched(url) {
  const rules = { prefetch: [{ urls: [url], eagerness: "immediate" }] };
  document.head.append(make("script", { type: "speculationrules", textContent: JSON.stringify(rules) }));
  return url;
}

// A page that was fetched ahead may be older than what another device has said since.
function refresh(sender) {
  const [arrival] = performance.getEntriesByType("navigation");
  if (arrival?.deliveryType === "navigational-prefetch") sender.refetch();
}
