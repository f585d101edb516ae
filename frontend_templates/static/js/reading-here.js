// Texts of steps on pages where nothing is labelled. Steps that htmx brings later are bound too.
import { Reading } from "./reading.js";

const root = document.querySelector("[data-reading]");
const says = document.querySelector("[data-says]");
const reading = new Reading({ root, tell: (words) => says && (says.textContent = words) });
document.addEventListener("htmx:load", ({ target }) => root.contains(target) && reading.apply(target.parentElement));
for (const button of document.querySelectorAll("[data-render-all]")) reading.switchWith(button);
