// Deciding by keyboard: j and k go from place to place, the scheme's keys answer, a letter takes a rater's word.
import "./deep-link.js";
import { isText, namesOf } from "./keys.js";

const says = document.querySelector("[data-says]");
const places = () => [...document.querySelectorAll("[data-place]")];
const named = (name) => name && document.querySelector(`[data-place="${CSS.escape(name)}"]`);
let last = ""; // the place that was last gone to or answered in: its panel may just be replaced, and its focus lost
const here = () => document.activeElement?.closest("[data-place]") ?? named(last);

function go(place) {
  for (const one of document.querySelectorAll("[data-place][aria-current]")) one.removeAttribute("aria-current");
  if (!place) return;
  last = place.dataset.place;
  place.setAttribute("aria-current", "true");
  place.scrollIntoView({ block: "center" });
  place.focus({ preventScroll: true });
}

function step(by) {
  const all = places();
  const at = all.indexOf(here());
  const wanted = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  if (all[wanted]) go(all[wanted]);
  else says.textContent = by > 0 ? "That was the last place." : "This is the first place.";
}

const keyed = (root, names) => [...(root?.querySelectorAll("[data-keys]") ?? [])].find((one) => one.dataset.keys.split(" ").some((key) => names.includes(key)));

/** Where something is said about the place's step. */
const talkOf = (place) => place?.closest(".deciding").querySelector(".talking");

document.addEventListener("toggle", ({ target }) => target.matches(".say[open]") && target.querySelector("textarea").focus(), true);

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest?.(".say textarea");
  if (writing && !event.isComposing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) writing.form.requestSubmit();
  if (writing && !event.isComposing && event.key === "Escape") go(writing.closest(".deciding").querySelector("[data-place]"));
  if (event.defaultPrevented || event.isComposing || isText(event.target) || document.querySelector("dialog[open]")) return;
  const names = namesOf(event);
  if (names.includes("j") || names.includes("k")) step(names.includes("j") ? 1 : -1);
  else {
    const button = keyed(here(), names) ?? keyed(talkOf(here()), names) ?? (names.includes("s") ? document.querySelector("#settle:enabled") : null);
    if (!button || event.repeat) return;
    button.click();
  }
  event.preventDefault();
});

// What a press changed comes back as a new panel: stay on it. The next press may be on its way by then.
document.addEventListener("htmx:beforeRequest", ({ target }) => (last = target.closest("[data-place]")?.dataset.place ?? last));
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const changed = target.closest("[data-place]") ?? target.querySelector("[data-place]");
  if (!changed) return;
  if (document.activeElement === document.body) go(named(last) ?? changed); // who has gone on meanwhile stays there
  says.textContent = changed.getAttribute("aria-label");
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-to]");
  const place = named(link?.dataset.to);
  if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(place);
});

if (!location.hash && !new URLSearchParams(location.search).has("at")) go(places()[0]);
document.documentElement.dataset.ready = "";
