// A link to the step that an answer names.

/** Let the link lead to the step; hidden where there is none. */
export function pointTo({ controls }, link, step) {
  link.hidden = step === null;
  if (step === null) return;
  link.textContent = `Step ${controls.numberOf(step)}`;
  link.href = `#step-${step}`;
  link.onclick = (event) => {
    event.preventDefault();
    controls.page.go(step);
  };
}
