import { currentTheme } from "./colours.js";

/** The element that a selector names. @throws Error if the page lacks it: a mistake in the page */
export function find<Found extends HTMLElement>(selector: string): Found {
  const found = document.querySelector<Found>(selector);
  if (found === null) throw new Error(`the page lacks ${selector}`);
  return found;
}

/** Draws now and whenever the holder's width changes. */
export function drawAtEveryWidth(holder: HTMLElement, draw: () => void): void {
  let drawn = 0;
  new ResizeObserver(() => {
    const width = holder.clientWidth;
    if (width === drawn || width === 0) return;
    drawn = width;
    draw();
  }).observe(holder);
}

/** Draws a figure in its place, now and whenever that changes its width. @returns what draws it anew */
export function drawFigure(id: string, figure: (width: number) => SVGElement | HTMLElement): () => void {
  const holder = find(`#${id} .chart`);
  const draw = () => {
    if (holder.clientWidth === 0) return;
    const chart = figure(holder.clientWidth);
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", holder.dataset.label ?? "");
    holder.replaceChildren(chart);
  };
  drawAtEveryWidth(holder, draw);
  return draw;
}

/** The toggle, the system's own theme, and paper, which is always light: SVG follows by CSS, canvases are redrawn. */
export function followTheme(redraw: () => void): void {
  const root = document.documentElement;
  const toggle = find<HTMLButtonElement>("#theme");
  const applied = () => {
    toggle.textContent = currentTheme() === "dark" ? "Light theme" : "Dark theme";
    redraw();
  };
  toggle.hidden = false;
  toggle.textContent = currentTheme() === "dark" ? "Light theme" : "Dark theme";
  toggle.addEventListener("click", () => {
    root.dataset.theme = currentTheme() === "dark" ? "light" : "dark";
    applied();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applied);

  let onScreen: string | undefined;
  addEventListener("beforeprint", () => {
    onScreen = root.dataset.theme;
    root.dataset.theme = "light";
    applied();
  });
  addEventListener("afterprint", () => {
    if (onScreen === undefined) delete root.dataset.theme;
    else root.dataset.theme = onScreen;
    applied();
  });
}
