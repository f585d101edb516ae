// The line that says whether everything is saved, and the bar that says what is in the way when it is not.
import { make } from "./dialogs.js";
import { waitingElsewhere } from "./outbox.js";

const changes = (count) => (count === 1 ? "1 change" : `${count} changes`);

const CLOSED = { submitted: "Submitted", skipped: "Skipped", failed: "Failed" };

const TROUBLE = {
  away: (count) => [`The server cannot be reached. ${count ? `${changes(count)} ${count === 1 ? "is" : "are"} kept in this browser and will be sent when it is back. ` : ""}You can go on labelling.`],
  expired: (count) => [`You are signed out. ${count ? `${changes(count)} ${count === 1 ? "waits" : "wait"} in this browser and will be sent when you are back. ` : ""}You can go on labelling.`],
  denied: (count, { why }) => [`${why} ${count ? `${changes(count)} ${count === 1 ? "waits" : "wait"} in this browser and will be sent when you may label here again.` : ""}`],
  moved: (count, { moved }) => [`${moved.scheme ? "The label scheme was changed" : "This trajectory was imported anew"} while you worked. ${moved.count ? `${changes(moved.count)} of yours went along to the new version and will be sent from there. ` : "What you said and still has a place there went along. "}`, make("a", { href: moved.url, textContent: "Go on with the new version" })],
  gone: (count) => [`The account you are signed in with cannot open this item. ${changes(count)} ${count === 1 ? "waits" : "wait"} in this browser for the account that can.`],
  closed: (count) => [`This item was closed elsewhere. ${changes(count)} ${count === 1 ? "waits" : "wait"} in this browser; reopen the item to send ${count === 1 ? "it" : "them"}.`],
};

export class Status {
  constructor({ line, bar, sender, outbox, data }) {
    Object.assign(this, { line, bar, sender, outbox, data, notice: () => [] });
    sender.addEventListener("status", () => this.paint());
    this.others = waitingElsewhere(data);
    line.toggleAttribute("data-closed", data.state in CLOSED);
    this.paint();
  }

  /** A standing notice beneath the trouble, such as a lost seat: `notice` makes its texts and elements anew, or none. */
  note(notice) {
    this.notice = notice;
    this.paint();
  }

  paint() {
    const { status, waiting } = this.sender;
    this.line.dataset.status = status;
    this.line.querySelector("[data-status-text]").textContent = this.#word(status, waiting);
    const nodes = [...(TROUBLE[status]?.(waiting, this.sender) ?? [])];
    if (!this.outbox.kept && waiting) nodes.push(" This browser keeps nothing: do not close the page before they are sent.");
    const parts = [nodes, this.notice(), this.#elsewhere()].filter((part) => part.length).map((part) => make("p", {}, ...part));
    const text = parts.map((part) => part.textContent).join("\n");
    if (text === this.shown) return; // a live region says again whatever is put into it
    this.shown = text;
    this.bar.replaceChildren(...parts);
    this.bar.hidden = parts.length === 0;
  }

  #word(status, waiting) {
    if (status === "saved") return CLOSED[this.data.state] ?? "Saved";
    if (status === "saving") return "Saving…";
    if (status === "conflict") return "Two answers";
    if (status === "moved") return "Moved";
    if (status === "denied" && !waiting) return "Not allowed";
    return waiting ? `${waiting} waiting` : "Server away";
  }

  #elsewhere() {
    const links = this.others.map((item) => make("a", { href: this.data.here.replace(/\d+\/$/, `${item}/`), textContent: `item ${item}` }));
    return links.length ? ["Changes wait in this browser on other items; open one to send them: ", ...links.flatMap((link, place) => (place ? [", ", link] : [link])), "."] : [];
  }
}
