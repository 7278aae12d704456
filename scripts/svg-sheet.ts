import type { Figure } from "../src/report/client/page/figure.js";
import { DARK, LIGHT } from "../src/report/page/style.js";

/** A mark and what it stands for. */
export interface Key {
  readonly mark: "dot" | "ring" | "cross" | "bar" | "line" | "dashes" | "thin";
  readonly colour: string;
  readonly name: string;
}

export interface Panel {
  readonly heading: string;
  readonly figure: Figure;
}

const WIDTH = 960;
const EDGE = 12;
const LEGEND = 34;
const HEADING = 24;
const NOTE = 26;
const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Panels side by side with a legend above and a note below, as one SVG file that needs nothing else. Its ground is
 * painted, so that it can be read wherever it lies, and light or dark as the reader's system is.
 */
export function sheet(title: string, { keys, panels, note }: { keys: Key[]; panels: Panel[]; note: string }): string {
  const root = element("svg", { xmlns: NAMESPACE, "font-family": "system-ui, sans-serif", "font-size": 12 });
  document.body.append(root);
  const style = element("style", {});
  style.textContent = `svg{${oneLine(LIGHT)}}@media(prefers-color-scheme:dark){svg{${oneLine(DARK)}}}text{white-space:pre}`;
  const ground = element("rect", { width: "100%", height: "100%", rx: 8, fill: "var(--surface)" });
  const name = element("title", {});
  name.textContent = title;
  root.append(name, style, ground);
  const top = legend(root, keys) + (panels.some(({ heading }) => heading) ? HEADING : 0);
  const each = (WIDTH - 2 * EDGE) / panels.length;
  let bottom = top;
  for (const [i, { heading, figure }] of panels.entries()) {
    const x = EDGE + i * each;
    if (heading) {
      root.append(words(heading, { x: x + each / 2 + 20, y: top - 8, "text-anchor": "middle", "font-weight": 600 }));
    }
    const drawn = figure(each) as SVGSVGElement;
    compact(drawn);
    for (const [name, value] of Object.entries({ x, y: top, "font-size": 12 })) drawn.setAttribute(name, `${value}`);
    root.append(drawn);
    bottom = Math.max(bottom, top + Number(drawn.getAttribute("height")));
  }
  root.append(words(note, { x: WIDTH - EDGE, y: bottom + 16, "text-anchor": "end", fill: "var(--muted)" }));
  root.setAttribute("viewBox", `0 0 ${WIDTH} ${bottom + NOTE}`);
  root.setAttribute("width", `${WIDTH}`);
  root.setAttribute("height", `${bottom + NOTE}`);
  root.setAttribute("color", "var(--ink)");
  root.setAttribute("fill", "currentColor");
  const text = new XMLSerializer().serializeToString(root);
  root.remove();
  return text.replaceAll(/></g, ">\n<");
}

function oneLine(css: string): string {
  return css.replaceAll(/\s*\n\s*/g, "").replaceAll(/\s*([:;])\s*/g, "$1");
}

function element(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, `${value}`);
  return made;
}

function words(text: string, attributes: Record<string, string | number>): SVGTextElement {
  const made = element("text", attributes) as SVGTextElement;
  made.textContent = text;
  return made;
}

/** Rows of keys from the top left. @returns where they end */
function legend(root: SVGElement, keys: readonly Key[]): number {
  let [x, y] = [EDGE + 8, LEGEND - 10];
  for (const { mark, colour, name } of keys) {
    const label = words(name, { x: x + 24, y });
    root.append(label);
    const width = 24 + label.getComputedTextLength();
    if (x + width > WIDTH - EDGE && x > EDGE + 8) {
      [x, y] = [EDGE + 8, y + 20];
      label.setAttribute("x", `${x + 24}`);
      label.setAttribute("y", `${y}`);
    }
    root.append(keyMark(mark, colour, x + 8, y - 4));
    x += width + 22;
  }
  return y + 14;
}

function keyMark(mark: Key["mark"], colour: string, x: number, y: number): SVGElement {
  const path = (d: string, more: Record<string, string | number>) =>
    element("path", { d, stroke: colour, fill: "none", ...more });
  switch (mark) {
    case "dot":
      return element("circle", { cx: x, cy: y, r: 4.5, fill: colour });
    case "ring":
      return element("circle", { cx: x, cy: y, r: 4.5, fill: "none", stroke: colour });
    case "cross":
      return path(`M${x - 3} ${y - 3}l6 6m0-6l-6 6`, { "stroke-width": 1.5 });
    case "bar":
      return path(`M${x} ${y - 6}v12`, { "stroke-width": 3 });
    case "line":
      return path(`M${x - 10} ${y}h20`, { "stroke-width": 2 });
    case "dashes":
      return path(`M${x - 10} ${y}h20`, { "stroke-dasharray": "4 3" });
    case "thin":
      return path(`M${x - 10} ${y}h20`, {});
  }
}

let markers = 0;

/** Where numbers are pixels: tenths are enough. */
const PIXELS = ["d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "dx", "dy", "transform"];

function roundPixels(svg: Element): void {
  for (const shape of svg.querySelectorAll("*")) {
    for (const name of PIXELS) {
      const value = shape.getAttribute(name);
      if (value !== null) shape.setAttribute(name, value.replaceAll(/\d+\.\d{2,}/g, short));
    }
  }
}

/** Like shapes become one path, with the shape as its marker: a tenth of the bytes where there are thousands. */
function compact(svg: SVGSVGElement): void {
  for (const dead of svg.querySelectorAll("style, [aria-label=tip]")) dead.remove();
  for (const group of [...svg.querySelectorAll("g")]) {
    mergeLike(svg, group, "circle", (shape) => [shape.getAttribute("cx")!, shape.getAttribute("cy")!], ["cx", "cy"]);
    mergeLike(
      svg,
      group,
      "path[transform^=translate]",
      (shape) => shape.getAttribute("transform")!.match(/[\d.-]+/g)! as string[],
      ["transform"],
    );
    mergeRules(group);
  }
  roundPixels(svg);
}

function likes(group: Element, selector: string, places: readonly string[]): Element[][] {
  const kinds = new Map<string, Element[]>();
  for (const shape of group.querySelectorAll(`:scope > ${selector}`)) {
    const kind = [...shape.attributes].filter(({ name }) => !places.includes(name)).map((a) => `${a.name}=${a.value}`);
    const key = kind.join(" ");
    kinds.set(key, [...(kinds.get(key) ?? []), shape]);
  }
  return [...kinds.values()].filter((shapes) => shapes.length > 2);
}

function mergeLike(
  svg: SVGSVGElement,
  group: Element,
  selector: string,
  placeOf: (shape: Element) => string[],
  places: readonly string[],
): void {
  for (const shapes of likes(group, selector, places)) {
    const marker = element("marker", { id: `mark-${++markers}`, overflow: "visible", markerUnits: "userSpaceOnUse" });
    const shape = shapes[0]!.cloneNode() as Element;
    for (const place of places) shape.removeAttribute(place);
    // A marker inherits from where it is defined, not from where it stands.
    for (const { name, value } of group.attributes) {
      if (/^(fill|stroke)/.test(name) && !shape.hasAttribute(name)) shape.setAttribute(name, value);
    }
    marker.append(shape);
    svg.prepend(marker);
    const d = shapes.map((one, i) => `${i === 0 ? "M" : "L"}${placeOf(one).map(short).join(" ")}`).join("");
    const [first, ...rest] = shapes;
    const url = `url(#${marker.id})`;
    const ends = { "marker-start": url, "marker-mid": url, "marker-end": url };
    first!.replaceWith(element("path", { d, fill: "none", stroke: "none", ...ends }));
    for (const one of rest) one.remove();
  }
}

function mergeRules(group: Element): void {
  const ends = ["x1", "x2", "y1", "y2"];
  for (const shapes of likes(group, "line", ends)) {
    const d = shapes.map((shape) => {
      const [x1, x2, y1, y2] = ends.map((end) => short(shape.getAttribute(end)!));
      return `M${x1} ${y1}L${x2} ${y2}`;
    });
    const merged = element("path", { d: d.join("") });
    for (const { name, value } of shapes[0]!.attributes) if (!ends.includes(name)) merged.setAttribute(name, value);
    const [first, ...rest] = shapes;
    first!.replaceWith(merged);
    for (const one of rest) one.remove();
  }
}

function short(number: string): string {
  return `${Math.round(Number(number) * 10) / 10}`;
}
