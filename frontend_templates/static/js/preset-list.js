// Searches a list (of schemes, of formats) as one types: every word has to be there. A group without rows is hidden.
for (const list of document.querySelectorAll("[data-presets]")) {
  const search = list.querySelector("[data-presets-search]");
  const input = search.querySelector("input");
  const rows = [...list.querySelectorAll("[data-words]")];
  const count = list.querySelector("[data-presets-count]");
  const groups = [...list.querySelectorAll("[data-presets-group]")];
  const none = list.querySelector("[data-presets-none]");
  search.hidden = false;
  const narrow = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => row.dataset.words.includes(word));
    for (const group of groups) group.hidden = !group.querySelector("[data-words]:not([hidden])");
    const shown = rows.filter((row) => !row.hidden).length;
    none.hidden = shown > 0;
    count.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  input.addEventListener("input", narrow);
  input.addEventListener("change", (event) => event.stopPropagation()); // it is no part of what is asked for
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // the form is not ready yet
  });
  narrow();
  const chosen = rows.find((row) => row.querySelector("input:checked"));
  if (chosen) {
    const box = list.querySelector("[data-presets-list]");
    const heading = chosen.closest("[data-presets-group]")?.querySelector("h2"); // it stays above what is scrolled
    const margin = (heading?.offsetHeight ?? 0) + 8;
    box.scrollTop += chosen.getBoundingClientRect().top - box.getBoundingClientRect().top - margin; // the page stays
  }
}
