// Says quietly that a newer version of the guidelines is in force, and takes it up where one wants that.
import { get, post } from "./doors.js";

const AGAIN = 120_000; // ms between looks while the page is in sight

export function guidelines(desk) {
  if (desk.closed) return;
  const panel = new Panel(desk);
  panel.look();
  setInterval(() => document.hidden || panel.look(), AGAIN);
  document.addEventListener("visibilitychange", () => document.hidden || panel.look());
}

class Panel {
  constructor({ data, ending, tell }) {
    Object.assign(this, { data, ending, tell, banner: null });
    this.element = document.querySelector("[data-guidelines]");
    this.shown = Number(this.element?.querySelector("summary").textContent.match(/\d+/)?.[0] ?? 0);
  }

  async look() {
    const { kind, data } = await get(`${this.data.here}newer`);
    if (kind !== "done") return;
    // Another tab or device took a version up: what is shown here is what labels name.
    if (this.element && data.shown && data.shown !== this.shown) await this.#take(data.shown);
    this.#announce(data);
  }

  #announce({ newer, html }) {
    if (Number(this.banner?.dataset.newer ?? 0) === (newer ?? 0)) return;
    this.banner?.remove();
    this.banner = newer ? new DOMParser().parseFromString(html, "text/html").body.firstElementChild : null;
    if (!this.banner) return;
    (this.element ?? document.querySelector('[data-talk=""]')).before(this.banner);
    this.banner.querySelector("[data-adopt]").addEventListener("click", () => this.#adopt(newer));
  }

  // Labels that wait were given under the version that is shown: they go first.
  async #adopt(version) {
    this.ending.keep();
    await this.ending.sender.kick();
    if (this.ending.sender.waiting) return this.tell("Your labels go first, and they wait for the server. Try again in a moment.");
    const problem = await this.#take(version);
    if (problem) return this.tell(problem);
    this.banner?.remove();
    this.banner = null;
    this.element?.querySelector("summary").focus();
    return this.tell(`Version ${version} of the guidelines is shown now.`);
  }

  /** Show that version. Resolves to what was in the way, empty where nothing was. */
  async #take(version) {
    const { kind, data } = await post(`${this.data.here}guideline`, { version });
    if (kind !== "done") return data?.error === "closed" ? "This item was closed elsewhere." : "Not taken up: the server cannot be reached or has signed you out.";
    this.shown = data.version;
    if (!this.element) return location.reload();
    this.element.querySelector("summary .muted").textContent = `version ${data.version}`;
    const drawn = new DOMParser().parseFromString(data.html, "text/html"); // markdown.py made it inert
    this.element.querySelector(".prose").replaceChildren(...drawn.body.childNodes);
    return "";
  }
}
