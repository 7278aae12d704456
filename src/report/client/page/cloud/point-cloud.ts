import { type PlotOptions, plot, type Scale } from "@observablehq/plot";
import { SHADES } from "../colours.js";
import type { TokenTable } from "../tokens/token-table.js";
import { describeToken, placeTip } from "../tokens/token-tip.js";
import { nearestPoint } from "./nearest.js";
import { drawLabels, type LabelledPoint } from "./point-labels.js";
import { type Box, pointsInBox } from "./points-in-box.js";
import { hover, type Selection, toggleMark } from "./selection.js";

/** Distance in pixels within which the pointer finds a point; fingers are wider than a mouse's tip. */
const REACH = { mouse: 24, pen: 24, touch: 40 };
/** Above this, points are small squares instead of discs: quicker to draw, and they crowd anyway. */
const MANY_POINTS = 40_000;

/** What a figure of one point per token shows; asked for anew at every drawing. */
export interface Cloud {
  /** Data coordinates, [R]. */
  x: Float32Array;
  y: Float32Array;
  /** Axes and other marks; scales x and y are linear. */
  options: PlotOptions;
  /** Shade of every point, 0 to 1, [R], given their pixel positions. */
  shade: (x: Float32Array, y: Float32Array, width: number, height: number) => Float32Array;
  shades: string[];
  /** How many times over the shades are gone through, each with its part of the points: 1 puts the strongest on top. */
  rounds: number;
}

/**
 * A figure of up to some 250,000 points: axes in SVG by Plot, points on a canvas under it, names and the hover tip over
 * it. Pointer, touch and arrow keys move through the tokens.
 * @returns a function that draws it anew, at the width that the container has
 */
export function pointCloud(
  container: HTMLElement,
  tokens: TokenTable,
  selection: Selection,
  landmarks: readonly number[],
  cloudAt: (width: number) => Cloud,
  describe: (tokens: TokenTable, i: number) => HTMLElement[] = describeToken,
): () => void {
  const canvas = document.createElement("canvas");
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  container.tabIndex = 0;
  container.setAttribute("role", "group");
  container.setAttribute(
    "aria-label",
    `${container.dataset.label}. Arrow keys move through the tokens by probability.`,
  );

  let placed: Placed | undefined;
  const draw = () => {
    const width = container.clientWidth;
    if (width === 0) return;
    const cloud = cloudAt(width);
    const chart = plot({ ...cloud.options, width });
    chart.setAttribute("aria-hidden", "true");
    placed = place(chart, cloud);
    drawPoints(canvas, placed, cloud);
    const overlay = document.createElementNS("http://www.w3.org/2000/svg", "g");
    chart.append(overlay);
    placed.overlay = overlay;
    container.replaceChildren(canvas, chart, tip);
    drawSelection();
  };

  const drawSelection = () => {
    if (placed?.overlay === undefined) return;
    const { x, y, left, top, width, height, overlay } = placed;
    const point = (kind: LabelledPoint["kind"]) => (i: number) => ({
      x: left + x[i]!,
      y: top + y[i]!,
      text: tokens.texts[i]!,
      kind,
    });
    const { hovered, marked } = selection;
    const named = [...marked.map(point("marked")), ...(marked.length > 0 ? [] : landmarks.map(point("landmark")))];
    const points = hovered === undefined ? named : [point("hovered")(hovered), ...named];
    const crowd = (box: Box) =>
      placed!.pointsIn({
        left: box.left - left,
        right: box.right - left,
        top: box.top - top,
        bottom: box.bottom - top,
      });
    drawLabels(overlay, points, { left, top, right: left + width, bottom: top + height }, crowd);
  };

  const showTip = (token: number | undefined) => {
    hover(selection, token);
    tip.hidden = token === undefined || placed === undefined;
    if (token === undefined || placed === undefined) return;
    tip.replaceChildren(...describe(tokens, token));
    placeTip(
      tip,
      placed.left + placed.x[token]!,
      placed.top + placed.y[token]!,
      container.clientWidth,
      container.clientHeight,
    );
  };
  const tokenAt = (event: PointerEvent) => {
    if (placed === undefined) return undefined;
    const bounds = container.getBoundingClientRect();
    const reach = REACH[event.pointerType as keyof typeof REACH] ?? REACH.mouse;
    return placed.nearest(event.clientX - bounds.left - placed.left, event.clientY - bounds.top - placed.top, reach);
  };

  container.addEventListener("pointermove", (event) => showTip(tokenAt(event)));
  container.addEventListener("pointerdown", (event) => showTip(tokenAt(event)));
  // A finger that lifts also leaves; what it tapped stays shown.
  container.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") showTip(undefined);
  });
  container.addEventListener("blur", () => showTip(undefined));
  container.addEventListener("click", () => {
    if (selection.hovered !== undefined) toggleMark(selection, selection.hovered);
  });
  container.addEventListener("keydown", (event) => {
    const moved = step(event.key, tokens, selection);
    if (event.key === "Escape") showTip(undefined);
    else if (event.key === "Enter" && selection.hovered !== undefined) toggleMark(selection, selection.hovered);
    else if (moved !== undefined) showTip(moved);
    else return;
    event.preventDefault();
  });
  selection.listeners.push(drawSelection);
  return draw;
}

/** A drawn cloud: where its frame lies in the container and its points in the frame, in pixels. */
interface Placed {
  left: number;
  top: number;
  width: number;
  height: number;
  x: Float32Array;
  y: Float32Array;
  nearest: (x: number, y: number, within: number) => number | undefined;
  /** Points in a box of the frame. */
  pointsIn: (box: Box) => number;
  overlay?: SVGGElement;
}

function place(chart: ReturnType<typeof plot>, cloud: Cloud): Placed {
  const across = linear(chart.scale("x"));
  const down = linear(chart.scale("y"));
  const left = Math.min(across.from, across.to);
  const top = Math.min(down.from, down.to);
  const width = Math.abs(across.to - across.from);
  const height = Math.abs(down.to - down.from);
  const x = cloud.x.map((value) => across.at(value) - left);
  const y = cloud.y.map((value) => down.at(value) - top);
  return {
    left,
    top,
    width,
    height,
    x,
    y,
    nearest: nearestPoint(x, y, width, height),
    pointsIn: pointsInBox(x, y, width, height),
  };
}

/** A linear scale as plain arithmetic: much quicker than its function for hundreds of thousands of points. */
function linear(scale: Scale | undefined) {
  if (scale?.domain === undefined || scale.range === undefined)
    throw new Error("a cloud's scales have domain and range");
  const [low, high] = scale.domain as [number, number];
  const [from, to] = scale.range as [number, number];
  return { from, to, at: (value: number) => from + ((value - low) / (high - low)) * (to - from) };
}

/** Points shade by shade, the strongest last, in as many rounds as the cloud asks for. */
function drawPoints(canvas: HTMLCanvasElement, placed: Placed, cloud: Cloud): void {
  const { left, top, width, height, x, y } = placed;
  const density = Math.max(1, devicePixelRatio);
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(density, density);
  const shade = cloud.shade(x, y, width, height);
  const batches = Array.from({ length: cloud.rounds * SHADES }, (): number[] => []);
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]!) || !Number.isFinite(y[i]!)) continue;
    batches[(i % cloud.rounds) * SHADES + Math.round(shade[i]! * (SHADES - 1))]!.push(i);
  }
  const many = x.length > MANY_POINTS;
  const radius = width < 420 ? 1.3 : 1.7;
  for (const [batch, points] of batches.entries()) {
    context.fillStyle = cloud.shades[batch % SHADES]!;
    context.beginPath();
    for (const i of points) {
      if (many) {
        context.rect(x[i]! - 0.75, y[i]! - 0.75, 1.5, 1.5);
      } else {
        context.moveTo(x[i]! + radius, y[i]!);
        context.arc(x[i]!, y[i]!, radius, 0, 2 * Math.PI);
      }
    }
    context.fill();
  }
}

/** The token that an arrow key leads to: right and down to rarer ones, left and up to likelier. */
function step(key: string, { byProbability }: TokenTable, { hovered }: Selection): number | undefined {
  const direction = key === "ArrowRight" || key === "ArrowDown" ? 1 : key === "ArrowLeft" || key === "ArrowUp" ? -1 : 0;
  if (direction === 0) return undefined;
  if (hovered === undefined) return byProbability[0];
  const rank = byProbability.indexOf(hovered) + direction;
  return byProbability[Math.max(0, Math.min(byProbability.length - 1, rank))];
}
