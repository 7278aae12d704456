import { useEffect, useRef } from "preact/hooks";
import type { Figure } from "../../report/client/page/figure.js";
import { drawAtEveryWidth } from "../../report/client/page/page.js";
import { saveBlob } from "../save-file.js";
import { strings } from "../strings.js";
import { theme } from "../theme.js";

/** A figure with its title, what it shows, and its files. */
export function Chart({
  title,
  caption,
  figure,
  height,
}: {
  title: string;
  caption: string;
  figure: Figure | null;
  /** Room that is kept for it, in pixels, so that nothing moves when it is drawn. */
  height: number;
}) {
  const holder = useRef<HTMLDivElement>(null);
  const drawn = useRef<Figure | null>(null);
  drawn.current = figure;
  useEffect(() => {
    drawAtEveryWidth(holder.current!, () => draw(holder.current!, drawn.current, title));
  }, []);
  useEffect(() => draw(holder.current!, figure, title), [figure, theme.value]);
  return (
    <figure>
      <ChartHead title={title} holder={holder} />
      <div class="chart" style={{ minHeight: `${height}px` }} ref={holder} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

/** A figure's title, and buttons that save it. */
export function ChartHead({ title, holder }: { title: string; holder: { readonly current: HTMLElement | null } }) {
  const file = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return (
    <div class="chart-head">
      <h3>{title}</h3>
      <span class="chart-files">
        <button
          type="button"
          aria-label={strings.chart.save(title, "SVG")}
          onClick={() => saveSvg(holder.current!, file)}
        >
          {strings.chart.svg}
        </button>
        <button
          type="button"
          aria-label={strings.chart.save(title, "PNG")}
          onClick={() => savePng(holder.current!, file)}
        >
          {strings.chart.png}
        </button>
      </span>
    </div>
  );
}

function draw(holder: HTMLElement, figure: Figure | null, title: string): void {
  if (holder.clientWidth === 0) return;
  if (figure === null) {
    holder.replaceChildren();
    return;
  }
  const chart = figure(holder.clientWidth);
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", title);
  // Names of marks, which say nothing inside an image and may not be there.
  for (const mark of chart.querySelectorAll("g[aria-label]")) mark.removeAttribute("aria-label");
  holder.replaceChildren(chart);
}

/** Colours of the page, which a file of its own does not know. */
const variables = [
  "ground",
  "surface",
  "ink",
  "muted",
  "line",
  "grid",
  "accent",
  "accent-soft",
  "warm",
  "neutral",
  "green",
  "violet",
  "gold",
];
const masses = ["mass-0", "mass-1", "mass-2", "mass-3"];

/** The holder's figure as one SVG: its points too, where they were drawn on a canvas. */
function svgText(holder: HTMLElement): string | undefined {
  const chart = holder.querySelector("svg");
  if (chart === null) return undefined;
  const copy = chart.cloneNode(true) as SVGSVGElement;
  const computed = getComputedStyle(document.documentElement);
  const colours = [...variables, ...masses].map((name) => `--${name}:${computed.getPropertyValue(`--${name}`)}`);
  const { width, height } = chart.getBoundingClientRect();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", `${width}`);
  copy.setAttribute("height", `${height}`);
  copy.setAttribute(
    "style",
    `${colours.join(";")};background:var(--ground);color:var(--ink);font:12px system-ui,sans-serif;--plot-background:var(--surface)`,
  );
  const canvas = holder.querySelector("canvas");
  if (canvas && canvas.width > 0) {
    const image = document.createElementNS("http://www.w3.org/2000/svg", "image");
    image.setAttribute("href", canvas.toDataURL("image/png"));
    const place = { x: canvas.offsetLeft, y: canvas.offsetTop, width: canvas.offsetWidth, height: canvas.offsetHeight };
    for (const [name, value] of Object.entries(place)) image.setAttribute(name, `${value}`);
    copy.prepend(image);
  }
  return new XMLSerializer().serializeToString(copy);
}

function saveSvg(holder: HTMLElement, name: string): void {
  const text = svgText(holder);
  if (text !== undefined) saveBlob(`${name}.svg`, new Blob([text], { type: "image/svg+xml" }));
}

async function savePng(holder: HTMLElement, name: string): Promise<void> {
  const text = svgText(holder);
  if (text === undefined) return;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => blob && saveBlob(`${name}.png`, blob), "image/png");
}
