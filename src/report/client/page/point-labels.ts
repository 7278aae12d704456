import { visibleToken } from "../../page/visible-text.js";

const SVG = "http://www.w3.org/2000/svg";
/** Room that one character of a label takes, in pixels, and its line's height. */
const CHARACTER = 7.3;
const LINE = 14;
const OFFSET = 7;

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface LabelledPoint {
  x: number;
  y: number;
  text: string;
  kind: "landmark" | "marked" | "hovered";
}

/**
 * Rings around points, with names where there is room: each name is tried on four sides and left out if it would cover
 * another name or leave the frame. A landmark without its name is left out altogether.
 * @param points in order of importance
 */
export function drawLabels(group: SVGGElement, points: LabelledPoint[], frame: Box): void {
  group.replaceChildren();
  const taken: Box[] = points.map(({ x, y }) => ({ left: x - 3, right: x + 3, top: y - 3, bottom: y + 3 }));
  for (const { x, y, text, kind } of points) {
    if (kind !== "landmark") group.append(ring(x, y, kind));
    if (kind === "hovered") continue;
    const name = visibleToken(text);
    const place = places(x, y, name.length * CHARACTER).find(
      ({ box }) => isInside(box, frame) && !taken.some((other) => overlaps(box, other)),
    );
    if (place === undefined) continue;
    taken.push(place.box);
    if (kind === "landmark") group.append(ring(x, y, kind));
    const label = document.createElementNS(SVG, "text");
    label.textContent = name;
    set(label, { x: place.x, y: place.y, "text-anchor": place.anchor, class: `name ${kind}` });
    group.append(label);
  }
}

function ring(x: number, y: number, kind: LabelledPoint["kind"]): SVGElement {
  const circle = document.createElementNS(SVG, "circle");
  const colour = kind === "landmark" ? "var(--ink)" : "var(--warm)";
  const size = kind === "landmark" ? 3 : 5;
  set(circle, { cx: x, cy: y, r: size, fill: "none", stroke: colour, "stroke-width": kind === "landmark" ? 1 : 2 });
  return circle;
}

function places(x: number, y: number, width: number): { x: number; y: number; anchor: string; box: Box }[] {
  const at = (left: number, middle: number) => ({
    left,
    right: left + width,
    top: middle - LINE / 2,
    bottom: middle + LINE / 2,
  });
  return [
    { x: x + OFFSET, y: y + 4, anchor: "start", box: at(x + OFFSET, y) },
    { x: x - OFFSET, y: y + 4, anchor: "end", box: at(x - OFFSET - width, y) },
    { x, y: y - 8, anchor: "middle", box: at(x - width / 2, y - 12) },
    { x, y: y + 17, anchor: "middle", box: at(x - width / 2, y + 13) },
  ];
}

function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function isInside(box: Box, frame: Box): boolean {
  return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
}

function set(node: SVGElement, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
}
