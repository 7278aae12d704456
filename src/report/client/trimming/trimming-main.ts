import type { TrimPageData } from "../../trimming/trim-page-data.js";
import { drawFigure, find, followTheme } from "../page/page.js";
import { massFigure } from "./mass-figure.js";

const data: TrimPageData = JSON.parse(find("#data").textContent ?? "");

drawFigure("mass-figure", massFigure(data));
// The figure is SVG with colours from the style sheet: nothing to draw anew in another theme.
followTheme(() => {});
