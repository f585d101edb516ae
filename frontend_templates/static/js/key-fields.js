// Choosing a key by pressing it. The field holds what the server reads; writing it by hand does the same.
import { namesOf } from "./keys.js";

const ALONE = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Tab", "Dead", "Process"]);

for (const field of document.querySelectorAll(".key-field")) {
  const input = field.querySelector("input");
  const press = field.querySelector("[data-press]");
  const usual = field.querySelector("button[data-usual]");
  press.hidden = usual.hidden = false;
  usual.addEventListener("click", () => {
    input.value = input.dataset.usual;
    input.focus();
  });
  press.addEventListener("click", () => {
    press.classList.add("listening");
    press.firstChild.textContent = "Now press it…";
  });
  press.addEventListener("blur", () => rest(press));
  press.addEventListener("keydown", (event) => {
    if (!press.classList.contains("listening") || ALONE.has(event.key)) return;
    event.preventDefault();
    const [name] = namesOf(event);
    if (name && name !== " ") input.value = name;
    rest(press);
  });
}

function rest(button) {
  button.classList.remove("listening");
  button.firstChild.textContent = "Press a key";
}
