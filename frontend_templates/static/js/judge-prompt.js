// A press on a prompt of ours puts its text into the form. What somebody wrote there themselves is asked about first.
const area = document.querySelector("#id_prompt");
let ours = area?.value ?? "";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-prompt]");
  if (!button || !area) return;
  if (area.value !== ours && area.value.trim() && !confirm("Put this prompt in place of what you have written?")) return;
  const answer = await fetch(button.dataset.prompt);
  if (!answer.ok) return;
  area.value = ours = await answer.text();
  area.focus();
});
document.documentElement.dataset.ready = "";
