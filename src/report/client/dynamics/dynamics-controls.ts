import type { DynamicsPageData } from "../../dynamics/dynamics-page-data.js";
import { choice } from "../page/choice.js";
import { element } from "../page/tokens/token-tip.js";
import { layerColour, outerColour } from "./dynamics-figures.js";
import { measures, type View } from "./dynamics-view.js";

export function scaleControls(holder: HTMLElement, view: View, changed: () => void): void {
  choice(holder, "steps", { log: "logarithmic", linear: "linear" }, view.scale, (scale) => {
    view.scale = scale;
    changed();
  });
}

export function movementControls(
  holder: HTMLElement,
  legend: HTMLElement,
  movements: NonNullable<DynamicsPageData["movements"]>,
  view: View,
  changed: () => void,
): void {
  choice(holder, "show", measures, view.measure, (measure) => {
    view.measure = measure;
    changed();
  });
  const layers = movements.parts.filter(({ layer }) => layer !== null);
  const first = layers[0];
  const last = layers.at(-1);
  const keys = [
    ...(first && last ? [[layerColour(0.5), `layers ${first.layer} to ${last.layer}`]] : []),
    ...movements.parts.filter(({ layer }) => layer === null).map(({ name }) => [outerColour(name), name]),
  ] as [string, string][];
  legend.replaceChildren(...keys.map(([colour, name]) => legendKey(colour, name)));
}

function legendKey(colour: string, name: string): HTMLElement {
  const key = element("span", name);
  key.className = "key";
  const swatch = element("span", "");
  swatch.className = "swatch line";
  swatch.style.background = colour;
  key.prepend(swatch);
  return key;
}
