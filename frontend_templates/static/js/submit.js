// The ends of an item: submit, skip, reopen; and holding its seat while one works on it.
import { askOpen, askOthers, askReason, make } from "./dialogs.js";
import { isOpenAt } from "./counts.js";
import { post } from "./doors.js";
import { newId } from "./ids.js";

const RENEW = 60_000; // ms between renewals of the lease while the page is in sight

export class Ending {
  /** `accept(places)` takes what is suggested for these. */
  constructor({ store, sender, status, dialog, data, tell, goTo, keep, accept }) {
    Object.assign(this, { store, sender, status, dialog, data, tell, goTo, keep, accept, busy: false, ahead: null });
  }

  /** Hand in. With `all`, what is suggested is accepted without asking: that key says so. */
  submit({ all = false } = {}) {
    if (this.data.mode === "progressive" && !this.data.revealed) return this.reveal();
    return this.#alone(async () => {
      this.keep();
      const { missing, open } = this.store.missing();
      if (missing.length) return this.goTo(missing);
      if (open.length && !all && !(await askOpen(this.dialog, open.length))) return this.goTo(open);
      if (open.length) this.accept(open);
      if (!(await this.#everythingSent("Submitting"))) return null;
      return this.#ended(await post(this.data.doors.submit, { change: newId(), revision: this.store.revision }));
    });
  }

  /** End the first progressive pass: everything is shown, and can be changed. */
  reveal() {
    return this.#alone(async () => {
      this.keep();
      const open = this.store.steps.filter((step) => isOpenAt(this.store, step));
      if (open.length) return this.goTo(open.map((step) => ({ step, field: this.store.scheme.main })));
      if (!(await this.#everythingSent("Showing the rest"))) return null;
      const { kind, data } = await post(this.data.doors.reveal, {});
      if (kind === "done") return location.reload();
      if (data?.missing) return this.tell("A step that comes next is not labelled yet.");
      return this.#ended({ kind, data });
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

  /** What the others said, once they know that it cannot be changed afterwards; null where it is not to be had. */
  async others() {
    const sure = await askOthers(this.dialog);
    if (!sure) return null;
    const { kind, data } = await post(this.data.doors.spread, {});
    if (kind === "done") return data.others;
    this.tell(data?.error ?? "The server cannot be reached.");
    return null;
  }

  /** Keep the seat while the page is open and in sight. */
  holdSeat() {
    const renew = async () => {
      if (document.hidden || this.left) return;
      const { kind, data } = await post(this.data.doors.lease, {});
      if (kind === "done") this.#seated(data.seat);
      else if (kind === "gone") this.sender.follow();
    };
    setInterval(renew, RENEW);
    document.addEventListener("visibilitychange", renew);
    renew();
  }

  // Without a seat one cannot hand in, but need not wait either.
  #seated(seat) {
    const text = "Your seat on this item went to someone else, or was freed for others. Your labels stay, and you can go on: submitting takes a seat again if one is free. ";
    this.status.note(() => (seat ? [] : [text, make("a", { href: this.data.items.more, textContent: "Label another item meanwhile" })]));
  }

  async #everythingSent(deed) {
    await this.sender.kick();
    if (this.sender.moved) return this.#elsewhere();
    if (!this.sender.waiting) return true;
    this.tell(`${deed} needs the server; your labels are kept and wait to be sent.`);
    return false;
  }

  #elsewhere() {
    this.tell("This item was changed meanwhile. Go on with the new version.");
    return false;
  }

  async #ended({ kind, data }) {
    if (kind === "gone" && (await this.sender.follow())) this.#elsewhere();
    else if (kind === "done") {
      this.left = true;
      location.assign(this.ahead ?? data?.next ?? this.data.items.more);
    } else if (kind === "refused" && data?.missing) this.goTo(data.missing);
    else if (data?.error === "no_seat") {
      this.#seated(false);
      this.tell("Not submitted: others hold all the seats of this item. Your labels stay.");
    }
    else if (data?.error === "closed") location.reload();
    else if (data?.error === "saw_others") this.tell("You have seen what others said: ask a lead to return the item to you.");
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
