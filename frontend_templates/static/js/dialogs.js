// Questions that stop the work: built from text alone, answered with a word.

/** An element with properties and children; text only ever as textContent. */
export const make = (tag, facts = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), facts);
  element.append(...children);
  return element;
};

/** A dialog with a title, nodes for its body, and one button per answer ({word, title, primary}). Escape answers "". */
export function askIn(dialog, { title, body = [], answers, wide = false }) {
  dialog.querySelector("[data-dialog-title]").textContent = title;
  dialog.querySelector("[data-dialog-body]").replaceChildren(...body);
  const buttons = answers.map(({ word, title: text, primary, skips }) => make("button", { value: word, textContent: text, className: primary ? "primary" : "", formNoValidate: Boolean(skips) }));
  dialog.querySelector("[data-dialog-actions]").replaceChildren(...buttons);
  dialog.classList.toggle("wide", wide);
  dialog.returnValue = "";
  const back = document.activeElement;
  dialog.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) buttons.find((button) => button.className)?.click();
  };
  dialog.showModal();
  (dialog.querySelector("[autofocus]") ?? buttons.find((button) => button.className) ?? buttons[0]).focus();
  dialog.scrollTop = 0; // the answers stay in sight wherever one reads
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      back?.focus({ preventScroll: true });
      resolve(dialog.returnValue);
    }, { once: true });
  });
}

/** Both values of every place in conflict, to choose from. Resolves to "mine" or "theirs"; it cannot be left unanswered. */
export async function askConflict(dialog, items, wording) {
  const head = make("tr", {}, ...["Where", "Here", "Elsewhere", "Elsewhere by"].map((text) => make("th", { textContent: text, scope: "col" })));
  const lines = items.map(({ step, field, yours, theirs, by, at }) => {
    const cells = [wording.title(field, yours), wording.title(field, theirs), `${by ?? "somebody"}, ${moment(at)}`];
    return make("tr", {}, make("th", { textContent: wording.where(step, field) || wording.spec(field).title, scope: "row" }), ...cells.map((textContent) => make("td", { textContent })));
  });
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines));
  const body = [make("p", { textContent: "You changed the same place in another window or on another device. Nothing is lost until you choose." }), table];
  const answers = [{ word: "mine", title: "Keep what is here", primary: true }, { word: "theirs", title: "Take what is elsewhere" }];
  for (;;) {
    const word = await askIn(dialog, { title: "Two answers for the same place", body, answers });
    if (word) return word;
  }
}

const moment = (at) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));

/** Resolves to true where what is suggested is to be accepted. */
export async function askOpen(dialog, count) {
  const these = count === 1 ? "1 suggested label is" : `${count} suggested labels are`;
  const body = [make("p", { textContent: `${these} still open (hatched or outlined). A step that stays open is unlabelled, and the item cannot be submitted with it.` })];
  const answers = [{ word: "accept", title: `Accept ${count} and submit`, primary: true }, { word: "", title: "Leave open and go there" }];
  return (await askIn(dialog, { title: "Accept what is suggested?", body, answers })) === "accept";
}

/** Resolves to true where they want to see what the others said, at its price. */
export async function askOthers(dialog) {
  const body = [make("p", { textContent: "You see how often the others gave which label, without names. From then on you cannot reopen this item yourself: only a lead can return it to you." })];
  const answers = [{ word: "show", title: "Show it", primary: true }, { word: "", title: "Cancel" }];
  return (await askIn(dialog, { title: "What the others said", body, answers })) === "show";
}

/** Why the item is skipped; null where it is not. */
export async function askReason(dialog) {
  const input = make("textarea", { id: "skip-reason", rows: 3, required: true, maxLength: 1000 });
  input.setAttribute("autofocus", "");
  const label = make("label", { htmlFor: input.id, textContent: "What is wrong with it?" });
  const body = [make("p", { textContent: "Your labels stay. The item goes to someone else." }), label, input];
  const answers = [{ word: "skip", title: "Skip this item", primary: true }, { word: "", title: "Cancel", skips: true }];
  const word = await askIn(dialog, { title: "Skip", body, answers });
  return word === "skip" && input.value.trim() ? input.value.trim() : null;
}
