// The ends of an item: submit, skip, reopen; and holding its seat while one works on it.
import { askGhosts, askReason, make } from "./dialogs.js";
import { post } from "./doors.js";
import { newId } from "./store.js";

const RENEW = 60_000; // ms between renewals of the lease while the page is in sight

export class Ending {
  constructor({ store, sender, status, dialog, data, tell, goTo, keep }) {
    Object.assign(this, { store, sender, status, dialog, data, tell, goTo, keep, busy: false });
  }

  submit() {
    return this.#alone(async () => {
      this.keep();
      const { missing, ghosts } = this.store.missing();
      if (missing.length) return this.goTo(missing);
      if (ghosts && !(await askGhosts(this.dialog, ghosts))) return this.goTo([{ step: [...this.store.ghosts.keys()][0], field: this.store.scheme.propagation.field }]);
      if (!(await this.#everythingSent("Submitting"))) return null;
      const body = { change: newId(), revision: this.store.revision, accept_ghosts: ghosts > 0 };
      return this.#ended(await post(this.data.doors.submit, body));
    });
  }

  skip() {
    return this.#alone(async () => {
      this.keep();
      const reason = await askReason(this.dialog);
      if (reason === null || !(await this.#everythingSent("Skipping"))) return null;
      return this.#ended(await post(this.data.doors.skip, { reason }));
    });
  }

  reopen() {
    return this.#alone(async () => {
      const answer = await post(this.data.doors.reopen, {});
      if (answer.kind === "done") location.reload();
      else this.#ended(answer);
    });
  }

  /** Keep the seat while the page is open and in sight. */
  holdSeat() {
    const renew = async () => {
      if (document.hidden || this.left) return;
      const { kind, data } = await post(this.data.doors.lease, {});
      if (kind === "done") this.#seated(data.seat);
    };
    setInterval(renew, RENEW);
    document.addEventListener("visibilitychange", renew);
    renew();
  }

  // Without a seat one cannot hand in, but need not wait either.
  #seated(seat) {
    const text = "Your seat on this item went to someone else while you were away. Your labels stay, and you can go on: submitting takes a seat again if one is free. ";
    this.status.note(() => (seat ? [] : [text, make("a", { href: this.data.items.more, textContent: "Label another item meanwhile" })]));
  }

  async #everythingSent(deed) {
    await this.sender.kick();
    if (!this.sender.waiting) return true;
    this.tell(`${deed} needs the server; your labels are kept and wait to be sent.`);
    return false;
  }

  #ended({ kind, data }) {
    if (kind === "done") {
      this.left = true;
      location.assign(data?.next ?? this.data.items.more);
    } else if (kind === "refused" && data?.missing) this.goTo(data.missing);
    else if (data?.error === "no_seat") {
      this.#seated(false);
      this.tell("Not submitted: others hold all the seats of this item. Your labels stay.");
    }
    else if (data?.error === "closed") location.reload();
    else if (kind === "away" || kind === "expired") this.tell("The server cannot be reached or has signed you out. Nothing is lost; try again in a moment.");
    else this.tell(`That was not accepted: ${data?.error ?? kind}`);
  }

  async #alone(deed) {
    if (this.busy) return;
    this.busy = true;
    try {
      await deed();
    } finally {
      this.busy = false;
    }
  }
}
