// Signing in again without leaving the page: the labels wait meanwhile.

/** Shows the form while the sender is signed out, and hands its name and password to the login page's own door. */
export class Login {
  constructor({ form, sender, url, username }) {
    Object.assign(this, { form, sender, url });
    form.elements.login.value = username;
    sender.addEventListener("status", () => this.#show());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enter();
    });
  }

  #show() {
    const expired = this.sender.status === "expired";
    if (this.form.hidden === !expired) return;
    this.form.hidden = !expired;
    this.#say("");
  }

  async #enter() {
    this.#say("Signing in…");
    try {
      const token = await this.#token();
      const body = new URLSearchParams({ login: this.form.elements.login.value, password: this.form.elements.password.value, remember: "on", csrfmiddlewaretoken: token });
      const headers = { "X-Requested-With": "XMLHttpRequest", Accept: "application/json", "X-CSRFToken": token };
      const response = await fetch(this.url, { method: "POST", credentials: "same-origin", headers, body });
      const data = await response.json();
      if (response.ok) this.#entered();
      else this.#say(problemOf(data) || "That did not work.");
    } catch {
      this.#say("The server cannot be reached.");
    }
  }

  // A session that ended may have taken the token with it: the login page brings a new one.
  async #token() {
    const page = await fetch(this.url, { credentials: "same-origin" });
    const html = new DOMParser().parseFromString(await page.text(), "text/html");
    return html.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  }

  #entered() {
    this.form.elements.password.value = "";
    this.#say("");
    this.sender.kick();
  }

  #say(text) {
    this.form.querySelector("output").textContent = text;
  }
}

function problemOf({ form }) {
  const fields = Object.values(form?.fields ?? {}).flatMap(({ errors }) => errors);
  return [...(form?.errors ?? []), ...fields].join(" ");
}
