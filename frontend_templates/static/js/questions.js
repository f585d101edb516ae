// Where those who lead answer: moving among the threads by key, and words that are kept until they were sent.
import { Draft } from "./drafts.js";
import { Keys } from "./keys.js";

const AWAY = "Not sent: the server cannot be reached. Your words are kept in this browser; send again in a moment.";

const list = document.querySelector("[data-user]");
const threads = () => [...list.querySelectorAll("[data-thread]")];
const here = () => document.activeElement.closest?.("[data-thread]");
const draftOf = (article) => new Draft(`${list.dataset.user}:thread:${article.dataset.thread}`);
const isReply = (path) => path.endsWith("/reply/");

function move(direction) {
  const all = threads();
  const at = all.indexOf(here());
  const next = at < 0 ? all[direction > 0 ? 0 : all.length - 1] : all[at + direction];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function answer() {
  const area = (here() ?? threads()[0])?.querySelector("textarea");
  area?.focus();
  return Boolean(area);
}

// What is typed is kept as it is typed, with the key under which it will be said once.
function keep(article) {
  const form = article.querySelector("form.answer");
  const draft = draftOf(article);
  if (form.text.value && form.text.getAttribute("aria-invalid")) draft.put({ text: form.text.value, key: form.key.value });
  const kept = draft.facts;
  if (kept && !form.text.value) Object.assign(form.text, { value: kept.text });
  if (kept) form.key.value = kept.key;
  form.text.addEventListener("input", () => {
    draft.put({ text: form.text.value });
    if (draft.facts) form.key.value = draft.facts.key;
  });
  form.text.addEventListener("keydown", (event) => {
    if (event.isComposing || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

function say(article, ...words) {
  article.querySelector("[data-trouble]").replaceChildren(...words);
}

function signedOut(article) {
  const link = Object.assign(document.createElement("a"), { href: location.href, textContent: "Sign in and come back here" });
  say(article, "Not sent: you are signed out. Your words are kept in this browser. ", link, ".");
}

let held = null; // the thread whose element the answer will replace, where the focus is in it

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const article = detail.requestConfig.elt.closest("[data-thread]");
  if (!article) return;
  if (new URL(detail.xhr.responseURL).pathname !== detail.requestConfig.path) {
    detail.shouldSwap = false; // the login page: its place is not in a thread
    signedOut(article);
    return;
  }
  if (isReply(detail.requestConfig.path) && detail.xhr.status < 500) draftOf(article).drop();
  held = article.contains(document.activeElement) ? article.dataset.thread : null;
});
for (const trouble of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(trouble, ({ detail }) => {
    const article = detail.elt.closest("[data-thread]");
    if (article && detail.elt.matches("form, button")) say(article, AWAY);
  });
}
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (!elt.matches("[data-thread]")) return;
  keep(elt);
  if (held === elt.dataset.thread) (elt.querySelector("[aria-invalid]") ?? elt).focus({ preventScroll: true });
});

threads().forEach(keep);
const rows = [
  { name: "next", keys: ["j"], repeats: true },
  { name: "previous", keys: ["k"], repeats: true },
  { name: "answer", keys: ["r"] },
  { name: "leave", keys: ["Escape"], in_text: true },
];
new Keys(rows, { next: () => move(1), previous: () => move(-1), answer, leave: () => here()?.focus() }).listen();
document.documentElement.dataset.ready = "";
