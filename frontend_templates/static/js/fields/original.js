// A text of a step exactly as it was imported.

/** Resolves to the part of that name of the card's step: from the page where it stands there as written, else from the
 * server. "" where the step has none, null where it cannot be had. */
export async function originalOf(card, part) {
  const block = card?.querySelector(`.block[data-part="${CSS.escape(part)}"]`);
  if (!block) return "";
  const shown = block.querySelector(":scope > .shown");
  const whole = "exact" in shown.dataset && !("cut" in block.dataset) && !shown.querySelector(".hidden-character, [data-beside]");
  if (whole) return shown.querySelector("pre").textContent;
  if (!block.dataset.door) return null;
  try {
    const response = await fetch(`${block.dataset.door}?raw`, { credentials: "same-origin", redirect: "manual" });
    return response.ok ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer()) : null;
  } catch {
    return null;
  }
}
