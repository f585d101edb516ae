// Folding texts, loading the rest of long ones, and showing them as written.

export class Texts {
  constructor({ root, fetchText, tell }) {
    Object.assign(this, { root, fetchText, tell });
    root.addEventListener("click", ({ target }) => this.#click(target.closest("button")));
  }

  /** Fold or unfold all texts in there. */
  fold(root) {
    const buttons = [...(root?.querySelectorAll("[data-fold]") ?? [])];
    const open = buttons.some((button) => button.getAttribute("aria-expanded") === "false");
    for (const button of buttons) unfold(button, open);
  }

  foldAll() {
    this.fold(this.root);
  }

  apply() {}

  #click(button) {
    if (!button) return;
    if ("fold" in button.dataset) unfold(button, button.getAttribute("aria-expanded") === "false");
    else if ("whole" in button.dataset) this.#load(button, false);
    else if ("raw" in button.dataset) this.#load(button, button.getAttribute("aria-pressed") === "false");
  }

  async #load(button, raw) {
    const block = button.closest(".block");
    const html = await this.fetchText(block.dataset.of, block.dataset.part, raw);
    if (html === null) return this.tell("The text could not be loaded: the server is away.");
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".shown");
    block.querySelector(".shown").replaceWith(fresh);
    delete block.dataset.cut;
    if ("raw" in button.dataset) button.setAttribute("aria-pressed", String(raw));
    else button.remove();
    const more = block.querySelector("[data-fold]");
    if (more) unfold(more, true);
    return undefined;
  }
}

function unfold(button, open) {
  button.closest(".block").toggleAttribute("data-folded", !open);
  button.setAttribute("aria-expanded", String(open));
  button.firstChild.textContent = open ? "Show less" : "Show all";
}
