// A preset by itself: its preview answers to the mouse.
import { Preview } from "./scheme-preview.js";

new Preview(document.querySelector("[data-preview]")).begin(JSON.parse(document.querySelector("#preview-data").textContent));
