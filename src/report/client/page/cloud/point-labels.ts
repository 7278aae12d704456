import { visibleToken } from "../../../page/visible-text.js";
import { type LabelPlace, labelPlace } from "./label-places.js";
import type { Box } from "./points-in-box.js";

const SVG = "http://www.w3.org/2000/svg";
/** Room that one character of a name takes, in pixels, and that is left on either side of it. */
const CHARACTER = 7.3;
const PADDING = 3;

export interface LabelledPoint {
  x: number;
  y: number;
  text: string;
  kind: "landmark" | "marked" | "hovered";
}

/**
 * Rings around points, with names on plates that hide what is below them. A name that finds no room is left out, and a
 * landmark without its name altogether.
 * @param points in order of importance  @param crowd points of the figure in a box
 */
export function drawLabels(group: SVGGElement, points: LabelledPoint[], frame: Box, crowd: (box: Box) => number): void {
  group.replaceChildren();
  const taken: Box[] = points.map(({ x, y }) => ({ left: x - 3, right: x + 3, top: y - 3, bottom: y + 3 }));
  for (const point of points) {
    const { x, y, text, kind } = point;
    if (kind !== "landmark") group.append(...rings(x, y, kind));
    if (kind === "hovered") continue;
    const name = visibleToken(text);
    const place = labelPlace(point, [...name].length * CHARACTER + 2 * PADDING, frame, taken, crowd);
    if (place === undefined) continue;
    taken.push(place.box);
    if (place.led) group.append(...leader(point, place));
    if (place.led || kind === "landmark") group.append(...rings(x, y, kind));
    group.append(plate(place), nameIn(place, name, kind));
  }
}

/** A ring, on a wider one in the page's colour that parts it from the points. */
function rings(x: number, y: number, kind: LabelledPoint["kind"]): SVGElement[] {
  const [colour, r, width] = kind === "landmark" ? ["var(--ink)", 3.2, 1.3] : ["var(--warm)", 5, 2];
  const ring = { cx: x, cy: y, r, fill: "none" };
  return [
    shape("circle", { ...ring, stroke: "var(--ground)", "stroke-width": width + 2.4, class: "halo" }),
    shape("circle", { ...ring, stroke: colour, "stroke-width": width }),
  ];
}

/** From the point to the nearest spot of its name, parted from the points as rings are. */
function leader({ x, y }: LabelledPoint, { box }: LabelPlace): SVGElement[] {
  const x2 = Math.max(box.left, Math.min(box.right, x));
  const y2 = Math.max(box.top, Math.min(box.bottom, y));
  const line = (stroke: string, width: number) =>
    shape("line", { x1: x, y1: y, x2, y2, stroke, "stroke-width": width });
  return [line("var(--ground)", 3), line("var(--ink)", 0.9)];
}

function plate({ box }: LabelPlace): SVGElement {
  const { left, top, right, bottom } = box;
  return shape("rect", {
    ...{ x: left, y: top, width: right - left, height: bottom - top, rx: 3 },
    class: "name-plate",
  });
}

function nameIn({ box }: LabelPlace, name: string, kind: LabelledPoint["kind"]): SVGElement {
  const label = shape("text", {
    x: (box.left + box.right) / 2,
    y: (box.top + box.bottom) / 2 + 4,
    "text-anchor": "middle",
    class: `name ${kind}`,
  });
  label.textContent = name;
  return label;
}

function shape(tag: string, attributes: Record<string, string | number>): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}
