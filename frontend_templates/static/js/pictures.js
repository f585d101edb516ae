// Pictures of a text: enlarged in a dialog, and the marks over them on or off.
import { make } from "./dialogs.js";

/** A press on a picture in `root` enlarges it; with a modifier it opens by itself, as links do. */
export function bindPictures(root) {
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-enlarge]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    enlarge(link);
  });
}

/** Show the marks over the picture of that button, or hide them. */
export function toggleMarks(button) {
  const shown = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(shown));
  button.closest("figure").toggleAttribute("data-bare", !shown);
}

function enlarge(link) {
  const figure = link.closest("figure");
  const close = make("button", { type: "button", className: "small", textContent: "Close" });
  const dialog = make("dialog", { className: "enlarged", ariaLabel: link.querySelector("img").alt });
  const frame = make("div", { className: "picture-frame" }, ...[...link.children].map((child) => child.cloneNode(true)));
  frame.querySelector("img").loading = "eager";
  const said = figure.querySelector("figcaption").cloneNode(true);
  said.querySelectorAll("button").forEach((button) => button.remove());
  const holder = make("figure", { className: "picture" }, make("div", { className: "enlarged-view", tabIndex: 0, role: "group", ariaLabel: "Picture" }, frame), said);
  holder.toggleAttribute("data-bare", "bare" in figure.dataset);
  dialog.append(close, holder);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
}
