import { spread } from "../page/spread.js";

const SVG = "http://www.w3.org/2000/svg";
const LINE = 14;

/** The end of a curve in pixels, and how the curve is called. */
export interface CurveEnd {
  x: number;
  y: number;
  name: string;
  stroke: string;
}

/**
 * Names beside the ends of curves, with a line in the curve's colour to each.
 * @param at where the names begin, and between which heights they lie, in pixels
 */
export function appendEndLabels(
  chart: Element,
  ends: readonly CurveEnd[],
  at: { x: number; top: number; bottom: number },
): void {
  const sorted = [...ends].sort((a, b) => a.y - b.y);
  const heights = spread(
    sorted.map(({ y }) => y),
    LINE,
    at.top,
    at.bottom,
  );
  for (const [i, { x, y, name, stroke }] of sorted.entries()) {
    const height = heights[i]!;
    const path = `M${x + 3},${y}L${at.x - 12},${height}L${at.x - 4},${height}`;
    chart.append(
      shape("path", { d: path, fill: "none", stroke, "stroke-width": 1.25 }),
      shape(
        "text",
        { x: at.x, y: height + 4, fill: "currentColor", "text-anchor": "start", class: "curve-name" },
        name,
      ),
    );
  }
}

function shape(tag: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.textContent = text;
  return node;
}
