import { useEffect, useRef } from "preact/hooks";
import { type Cloud as CloudShape, pointCloud } from "../../report/client/page/cloud/point-cloud.js";
import type { Selection } from "../../report/client/page/cloud/selection.js";
import { drawAtEveryWidth } from "../../report/client/page/page.js";
import type { TokenTable } from "../../report/client/page/tokens/token-table.js";
import { theme } from "../theme.js";
import { ChartHead } from "./chart.js";

/** A figure of one point a token. Pointer, touch and arrow keys move through the tokens. */
export function Cloud({
  title,
  caption,
  tokens,
  selection,
  landmarks,
  cloudAt,
  height,
}: {
  title: string;
  caption: string;
  tokens: TokenTable;
  selection: Selection;
  /** Tokens that have a name on the figure. */
  landmarks: readonly number[];
  cloudAt: (width: number) => CloudShape;
  height: number;
}) {
  const holder = useRef<HTMLDivElement>(null);
  const draw = useRef<() => void>(() => {});
  useEffect(() => {
    // A new figure has listeners of its own: it begins with an empty element.
    const place = document.createElement("div");
    place.dataset.label = title;
    place.className = "chart cloud";
    holder.current!.replaceChildren(place);
    draw.current = pointCloud(place, tokens, selection, landmarks, cloudAt);
    drawAtEveryWidth(place, draw.current);
  }, [tokens]);
  useEffect(() => draw.current(), [theme.value]);
  return (
    <figure>
      <ChartHead title={title} holder={holder} />
      <div style={{ minHeight: `${height}px` }} ref={holder} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}
