// Draws TeX with KaTeX, which is loaded when a page first has some. What it cannot draw stays TeX.

const HOME = new URL("../vendor/katex/", import.meta.url);
const OPTIONS = { trust: false, strict: "ignore", throwOnError: true, maxSize: 20, maxExpand: 200, output: "htmlAndMathml" };
const AT_ONCE = 8; // ms of drawing between two frames

/** Draws all maths in there, a few formulas a frame. */
export async function drawMaths(root) {
  const waiting = [...root.querySelectorAll(".maths:not([data-drawn])")];
  if (!waiting.length) return;
  const katex = await load();
  if (!katex) return;
  let until = performance.now() + AT_ONCE;
  for (const element of waiting) {
    if (performance.now() > until) {
      await new Promise((resolve) => setTimeout(resolve));
      until = performance.now() + AT_ONCE;
    }
    draw(katex, element);
  }
  widen(root, waiting);
}

// What is wider than its text moves within itself, by key too.
function widen(root, formulas) {
  const edge = root.getBoundingClientRect().right + 1;
  const wide = formulas.filter((element) => element.scrollWidth > element.clientWidth + 1 || element.getBoundingClientRect().right > edge);
  for (const element of wide) {
    if (element.dataset.drawn !== "") continue;
    element.dataset.wide = "";
    Object.assign(element, { tabIndex: 0, role: "group", ariaLabel: "Formula" });
  }
}

let loading;
function load() {
  loading ??= fetchAll().catch(() => (loading = null));
  return loading;
}

async function fetchAll() {
  const style = document.createElement("link");
  const styled = new Promise((resolve, reject) => Object.assign(style, { onload: resolve, onerror: reject }));
  Object.assign(style, { rel: "stylesheet", href: new URL("katex.min.css", HOME).href });
  document.head.append(style);
  await Promise.all([import(new URL("katex.min.js", HOME).href), styled]);
  return self.katex;
}

function draw(katex, element) {
  element.dataset.drawn = "";
  if (element.querySelector(".hidden-character")) return; // drawing would hide it
  try {
    const tree = katex.__renderToDomTree(element.textContent, { ...OPTIONS, displayMode: element.classList.contains("display") });
    tame(tree);
    element.replaceChildren(tree.toNode());
  } catch (error) {
    element.dataset.drawn = "not";
    element.title = `Not drawn: ${error.message}`;
  }
}

// A few commands write style attributes into the MathML, which our content security policy refuses, and says so. Colours
// go: they hide on one of the two grounds, by mistake or on purpose.
function tame(node) {
  for (const name of ["style", "mathcolor", "mathbackground"]) if (node.attributes) delete node.attributes[name];
  if (node.style && node.style.color !== "transparent") delete node.style.color;
  if (node.style) delete node.style.backgroundColor;
  for (const child of node.children ?? []) tame(child);
}
