import { axisX, axisY, gridX, gridY, line } from "@observablehq/plot";
import { decimal, superscript } from "../../page/numbers.js";
import { currentTheme, densityShades } from "../page/colours.js";
import { crowding } from "../page/density.js";
import { GRID, paddedDomain } from "../page/figure.js";
import type { Cloud } from "../page/point-cloud.js";
import type { TokenTable } from "../page/token-table.js";

/** Fitted against true -log alpha, with the diagonal, and a second scale on top that shows the probability itself. */
export function fitCloud({ observed, fitted }: TokenTable): (width: number) => Cloud {
  const domain = paddedDomain(observed, fitted);
  const decades = probabilityTicks(domain);
  return (width) => ({
    x: observed,
    y: fitted,
    options: {
      height: Math.min(width, 680),
      marginTop: 46,
      marginRight: 14,
      marginBottom: 42,
      marginLeft: 52,
      x: { domain },
      y: { domain },
      marks: [
        gridX({ ticks: 8, ...GRID }),
        gridY({ ticks: 8, ...GRID }),
        axisX({ ticks: 8, label: "true −log α (nats)", labelAnchor: "center", labelArrow: "none", labelOffset: 38 }),
        axisY({ ticks: 8, label: "fitted −log α (nats)", labelAnchor: "center", labelArrow: "none", labelOffset: 48 }),
        axisX(spaced(decades, width), {
          anchor: "top",
          tickFormat: (value: number) => probabilityLabel(value),
          label: "mean probability α",
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 42,
        }),
        line(
          [domain, domain].map((_, i) => [domain[i]!, domain[i]!]),
          { stroke: "var(--warm)", strokeWidth: 1.5 },
        ),
      ],
    },
    shade: crowding,
    shades: densityShades(currentTheme()),
    rounds: 1,
  });
}

/** -log of the powers of ten that lie in the domain and are probabilities. */
function probabilityTicks([low, high]: [number, number]): number[] {
  const ticks: number[] = [];
  for (let value = 0; value <= high; value += Math.LN10) if (value >= low) ticks.push(value);
  return ticks;
}

/** Every tick, or every second or third, so that labels keep apart. */
function spaced(ticks: number[], width: number): number[] {
  const every = Math.ceil((ticks.length * 52) / Math.max(1, width - 60));
  return ticks.filter((_, i) => i % every === 0);
}

function probabilityLabel(negativeLog: number): string {
  const exponent = -Math.round(negativeLog / Math.LN10);
  return exponent >= -4
    ? `${decimal(100 * 10 ** exponent, Math.max(0, -2 - exponent))}%`
    : `10${superscript(exponent)}`;
}
