// Writing a scheme: mistakes and a preview as one types, a draft that outlives everything, and saving without leaving.
import { make } from "./dialogs.js";
import { post } from "./doors.js";
import { Draft } from "./drafts.js";
import { Preview } from "./scheme-preview.js";
import { YamlArea } from "./yaml-area.js";

const REST = 400; // ms without typing after which the preview is asked for
const LARGEST = 2_000_000; // bytes of a file that is read at all
const AWAY = {
  away: "Not saved: the server cannot be reached. Your text is kept in this browser; save again in a moment.",
  expired: "Not saved: you are signed out. Your text is kept in this browser; sign in, then save again.",
  denied: "Not saved: your role here does not allow it any more. Your text is kept in this browser.",
  gone: "Not saved: this project is not yours to open any more. Your text is kept in this browser.",
};

const form = document.querySelector("[data-editor]");
const part = (name) => form.querySelector(`[data-${name}]`);
const said = part("said");
const base = form.elements.base;
const draft = new Draft(form.dataset.draft);
const given = form.elements.text.value;
const preview = new Preview(part("preview"), (text) => say(text));
const area = new YamlArea({
  area: form.elements.text,
  gutter: part("gutter"),
  onCaret: (line, column) => (part("caret").textContent = `line ${line}, column ${column}`),
});

// What offers something to press stays until one types on.
function say(text, ...more) {
  said.toggleAttribute("data-stays", more.length > 0);
  said.replaceChildren(text, ...more.flatMap((one) => [" ", one]));
}

// What is typed is kept beside the version it was begun with, and the text it was begun from.
function keep() {
  if (area.text === given) draft.drop();
  else draft.put({ text: area.text, base: base.value, given });
}

function restore() {
  const kept = draft.facts;
  if (!kept || kept.text === given) return;
  base.value = kept.base ?? base.value;
  area.put(kept.text);
  const discard = make("button", { type: "button", className: "small", textContent: "Discard it" });
  discard.addEventListener("click", () => {
    draft.drop();
    area.put(given);
    look();
    say("The text is the saved one again.");
  });
  say("This is your text that was not saved yet, kept in this browser.", discard);
}

let asked = 0;
async function look() {
  const mine = ++asked;
  const { kind, data } = await post(form.dataset.previewDoor, { text: area.text });
  if (mine !== asked) return; // something newer was typed
  form.toggleAttribute("data-stale", kind !== "done");
  if (kind !== "done") return say(kind === "expired" ? "No preview: you are signed out. Your text is kept in this browser." : "No preview: the server cannot be reached. Your text is kept in this browser.");
  paint(data.mistakes, data.said);
  const old = data.html === null && part("preview").querySelector("[data-place]") !== null;
  part("preview").classList.toggle("old", old);
  part("before").hidden = !old;
  if (data.html !== null) preview.show(data.html, data.data);
  if (said.hasAttribute("data-stays")) return;
  if (data.mistakes.length) say(`${data.said}, the first on line ${data.mistakes[0].line}.`);
  else said.replaceChildren();
}

function paint(mistakes, title) {
  part("mistakes").hidden = mistakes.length === 0;
  part("mistakes-title").textContent = title;
  part("mistakes-list").replaceChildren(...mistakes.map(row));
  area.mark(mistakes.map(({ line }) => line));
  form.elements.text.toggleAttribute("aria-invalid", mistakes.length > 0);
  if (mistakes.length) form.elements.text.setAttribute("aria-invalid", "true");
}

function row({ line, key, reason }) {
  const link = make("a", { href: "#id_text" }, `line ${line}`, ...(key ? [", ", make("code", { textContent: key })] : []));
  link.dataset.line = line;
  return make("li", {}, link, make("span", { textContent: reason }));
}

let resting;
function typed() {
  said.removeAttribute("data-stays");
  keep();
  clearTimeout(resting);
  resting = setTimeout(look, REST);
}

let busy = false;
async function save() {
  if (busy) return;
  keep();
  busy = true;
  say("Saving…");
  const sent = area.text;
  const { kind, data } = await post(location.pathname, { text: sent, base: Number(base.value) });
  busy = false;
  if (kind === "done") return saved(sent, data);
  if (kind === "conflict") return overtaken(data);
  if (kind === "refused" && data?.mistakes) {
    paint(data.mistakes, data.error);
    say(`${data.error} Each is listed with its line; nothing you typed is lost.`);
    return part("mistakes-list").querySelector("a").focus();
  }
  const enter = make("a", { href: form.dataset.login, target: "_blank", textContent: "Sign in (opens another tab)" });
  return say(AWAY[kind] ?? `Not saved: ${data?.error ?? kind}`, ...(kind === "expired" ? [enter] : []));
}

function saved(sent, { url }) {
  if (area.text === sent) draft.drop();
  location.assign(url);
}

function overtaken({ newest, html, error }) {
  const drawn = new DOMParser().parseFromString(html, "text/html"); // the server escaped it
  const box = document.querySelector("[data-newer]");
  box.replaceChildren(...drawn.body.childNodes);
  base.value = newest;
  keep();
  say(`Not saved yet. ${error} Saving again puts your text after it.`);
  box.scrollIntoView({ block: "start" });
}

async function take(file) {
  if (!file) return;
  if (file.size > LARGEST) return say(`${file.name} has ${file.size.toLocaleString()} bytes; a scheme has up to 500,000 characters.`);
  area.put((await file.text()).replace(/\r\n/g, "\n").replace(/^\uFEFF/, ""));
  typed();
  return say(`This is ${file.name}. Ctrl+Z brings back what was here.`);
}

function files() {
  const input = form.elements.file;
  const open = part("open-file");
  input.closest(".field").classList.add("visually-hidden");
  input.tabIndex = -1;
  open.hidden = false;
  open.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files[0]);
    input.value = "";
  });
  const drop = part("lines");
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("dropping");
  });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("dropping"));
  drop.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
}

form.elements.text.addEventListener("input", typed);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  save();
});
part("mistakes-list").addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  if (!link) return;
  event.preventDefault();
  area.goTo(Number(link.dataset.line));
});
files();
const drawn = document.querySelector("#preview-data");
if (drawn) preview.begin(JSON.parse(drawn.textContent));
area.mark([...part("mistakes-list").querySelectorAll("[data-line]")].map(({ dataset }) => Number(dataset.line)));
restore();
if (area.text !== given) look();
document.documentElement.dataset.ready = "";
