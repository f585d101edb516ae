// Copies a text, also where the browser gives pages without HTTPS no clipboard.
export async function copy(text, tell) {
  try {
    await navigator.clipboard.writeText(text);
    tell("Copied.");
  } catch {
    tell(copyBySelecting(text) ? "Copied." : text);
  }
}

function copyBySelecting(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  const back = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  back?.focus({ preventScroll: true });
  return done;
}
