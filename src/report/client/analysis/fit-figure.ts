import { axisX, axisY, gridX, gridY, line } from "@observablehq/plot";
import { crowding } from "../page/cloud/density.js";
import type { Cloud } from "../page/cloud/point-cloud.js";
import { currentTheme, densityShades } from "../page/colours.js";
import { GRID, paddedDomain } from "../page/figure.js";
import { probabilityLabel, probabilityTicks, spaced } from "../page/probability-ticks.js";
import type { TokenTable } from "../page/tokens/token-table.js";

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
