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
    unstyle(tree);
    element.replaceChildren(tree.toNode());
  } catch (error) {
    element.dataset.drawn = "not";
    element.title = `Not drawn: ${error.message}`;
  }
}

// A few commands write style attributes into the MathML, which our content security policy refuses, and says so.
function unstyle(node) {
  if (node.attributes) delete node.attributes.style;
  for (const child of node.children ?? []) unstyle(child);
}
