import { dot, line } from "@observablehq/plot";
import { useMemo, useRef, useState } from "preact/hooks";
import type { ShrinkSize } from "../../explore/actions.js";
import type { ShrinkFigure } from "../../explore/figures.js";
import type { ShrinkNumbers } from "../../explore/state.js";
import type { Figure } from "../../report/client/page/figure.js";
import { domainOf, logarithmic, plain, plainPercent } from "../../report/client/page/log-figure.js";
import { bytes, count, decimal, divergenceText, percent } from "../format.js";
import { Chart } from "../parts/chart.js";
import { NextTokens } from "../parts/next-tokens.js";
import { Texts } from "../parts/texts.js";
import { Tiles } from "../parts/tiles.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** One slider for the directions kept, one for the tokens rescored, and what that costs. */
export function ShrinkRoom({ view }: { view: ExplorerView }) {
  const { shrink, choices, model } = view.state.value!;
  const live = view.figure("shrink-live").value;
  const curve = view.figure("shrink").value;
  const prompt = view.figure("prompt").value;
  const [moving, setMoving] = useState<ShrinkSize | null>(null);
  const frame = useRef(0);
  const { shrink: words } = strings;
  const maxKept = shrink?.maxKept ?? model?.hiddenSize ?? 1;
  const maxRescore = Math.min(4096, model?.vocabSize ?? 0);
  const size = moving ?? choices.shrink ?? { kept: maxKept, rescore: 0 };
  const numbers = moving ? live?.numbers : (shrink?.measured ?? live?.numbers);
  const slide = (to: ShrinkSize) => {
    setMoving(to);
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() =>
      view.send({ type: "slide-shrink", size: to, sequence: view.nextSequence() }),
    );
  };
  const release = (to: ShrinkSize) => {
    cancelAnimationFrame(frame.current);
    setMoving(null);
    view.send({ type: "release-shrink", size: to });
  };
  const slider = (
    label: string,
    text: string,
    max: number,
    min: number,
    value: number,
    at: (value: number) => ShrinkSize,
  ) => (
    <label class="field slider-field">
      <span>
        {label} <output>{text}</output>
      </span>
      <input
        type="range"
        min={min}
        max={max}
        value={value}
        aria-valuetext={text}
        onInput={(event) => slide(at(Number(event.currentTarget.value)))}
        onChange={(event) => release(at(Number(event.currentTarget.value)))}
      />
    </label>
  );
  return (
    <>
      <h2>{words.heading}</h2>
      <p>{words.lead}</p>
      <div class="columns wide-left">
        <div>
          {slider(words.kept, words.keptText(size.kept, maxKept), maxKept, 1, size.kept, (kept) => ({ ...size, kept }))}
          {slider(words.rescore, words.rescoreText(size.rescore), maxRescore, 0, size.rescore, (rescore) => ({
            ...size,
            rescore,
          }))}
          <p>
            <button
              type="button"
              disabled={choices.shrink === null}
              onClick={() => view.send({ type: "release-shrink", size: null })}
            >
              {words.reset}
            </button>
          </p>
          <Tiles tiles={costs(numbers ?? null)} />
          <Curve curve={curve} size={size} maxKept={maxKept} numbers={numbers ?? null} />
        </div>
        <NextTokens view={view} figure={live?.prompt ?? prompt} />
      </div>
      <Texts view={view} of="shrink" />
    </>
  );
}

function costs(numbers: ShrinkNumbers | null): [string, string][] {
  const { tiles, change } = strings.shrink;
  const none = strings.token.none;
  if (numbers === null) return Object.values(tiles).map((name) => [name, none]);
  const { kl, top1, perplexity, bytes: size, multiplications } = numbers;
  return [
    [tiles.kl, divergenceText(kl)],
    [tiles.top1, percent(top1)],
    [tiles.perplexity, change(decimal(perplexity.before, 2), decimal(perplexity.after, 2))],
    [tiles.bytes, change(bytes(size.before), bytes(size.after))],
    [tiles.multiplications, change(count(multiplications.before), count(multiplications.after))],
  ];
}

function Curve({
  curve,
  size,
  maxKept,
  numbers,
}: {
  curve: ShrinkFigure | null;
  size: ShrinkSize;
  maxKept: number;
  numbers: ShrinkNumbers | null;
}) {
  const figure = useMemo((): Figure | null => {
    const points = (curve?.curve ?? []).filter(({ kl, fraction }) => kl > 0 && fraction > 0);
    if (points.length === 0) return null;
    const here = numbers && numbers.kl > 0 ? [{ fraction: 1 - size.kept / maxKept, kl: numbers.kl }] : [];
    const axes = {
      x: {
        label: "share of the directions deleted",
        domain: domainOf(points.map(({ fraction }) => fraction)),
        tickFormat: plainPercent,
      },
      y: { label: "KL, nats", domain: domainOf([...points, ...here].map(({ kl }) => kl)), tickFormat: plain },
      height: () => 300,
    };
    return logarithmic(axes, () => [
      line(points, { x: "fraction", y: "kl", z: "order", stroke: "var(--accent)", strokeWidth: 2 }),
      dot(here, { x: "fraction", y: "kl", r: 7, stroke: "var(--warm)", strokeWidth: 3 }),
    ]);
  }, [curve, numbers, size.kept, maxKept]);
  return <Chart title={strings.shrink.curve} caption={strings.shrink.curveCaption} figure={figure} height={300} />;
}
