// The panel of what is asked of the whole trajectory: beside the task where there is room, else a sheet that slides in.
const NARROW = matchMedia("(max-width: 52rem)");

export class Whole {
  /** `arrive` puts the focus into the panel, `back` where one reads. */
  constructor({ panel, button, arrive, back }) {
    Object.assign(this, { panel, button, arrive, back });
    if (!panel) return;
    panel.querySelector("[data-panel-close]").addEventListener("click", () => this.close());
    NARROW.addEventListener("change", () => this.#paint());
    this.#paint();
  }

  /** Bring the panel into sight. */
  show() {
    if (!this.panel) return;
    this.panel.classList.add("open");
    this.#paint();
  }

  /** The button: open it and go there, or close it. */
  toggle() {
    if (NARROW.matches && this.panel.classList.contains("open")) return this.close();
    this.show();
    return this.arrive();
  }

  close() {
    this.panel.classList.remove("open");
    this.#paint();
    this.back();
  }

  count({ done, all }) {
    if (this.panel) this.button.querySelector("[data-panel-count]").textContent = all ? `${done} of ${all}` : "";
  }

  #paint() {
    if (NARROW.matches) this.button.setAttribute("aria-expanded", String(this.panel.classList.contains("open")));
    else this.button.removeAttribute("aria-expanded");
  }
}
