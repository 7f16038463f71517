// Making nodes. Text goes in as text only, never as markup.
export function el(tag, cls, ...inside) {
  const n = document.createElement(tag);
  if (cls) n.className = cls;
  n.append(...inside.filter((x) => x !== null && x !== undefined && x !== ""));
  return n;
}

export function icon(name, cls = "icon") {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", cls);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(ns, "use");
  use.setAttribute("href", "#" + name);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

// setText touches the page only when the text differs: most seconds change nothing.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
