// A word on a judge's list by keyboard: a approves, r rejects, e edits, j and k go to the next and to the one before.
import { isText, namesOf } from "./keys.js";

const form = document.querySelector("#word");
const edit = document.querySelector("#edit");
const area = edit?.querySelector("textarea");

edit?.addEventListener("toggle", () => edit.open && area.focus());

document.addEventListener("keydown", (event) => {
  if (!form || event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.target === area) return inText(event);
  if (isText(event.target) || document.querySelector("dialog[open]")) return;
  const pressed = document.querySelectorAll("#word [aria-keyshortcuts]");
  const names = namesOf(event);
  const button = [...pressed].find((one) => names.includes(one.getAttribute("aria-keyshortcuts")));
  if (button) button.click();
  else if (names.includes("e")) edit.open = true;
  else return;
  event.preventDefault();
});

function inText(event) {
  if (event.key === "Escape") edit.querySelector("summary").focus();
  else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector("[value=approve]"));
}
document.documentElement.dataset.ready = "";
