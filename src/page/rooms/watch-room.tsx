import { useMemo, useState } from "preact/hooks";
import type { SeriesFigure } from "../../explore/figures.js";
import { fitCloud } from "../../report/client/analysis/fit-figure.js";
import { trajectoryFigure } from "../../report/client/dynamics/dynamics-figures.js";
import { newSelection } from "../../report/client/page/cloud/selection.js";
import { landmarks, tokenTable } from "../../report/client/page/tokens/token-table.js";
import { unpackFloat32, unpackInt32, unquantise } from "../../report/page/packed-numbers.js";
import { decimal } from "../format.js";
import { Chart } from "../parts/chart.js";
import { Cloud } from "../parts/cloud.js";
import { Tiles } from "../parts/tiles.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** Checkpoints of a training run, one at a time. */
export function WatchRoom({ view }: { view: ExplorerView }) {
  const [name, setName] = useState("");
  const { offered, series } = view.state.value!;
  const figure = view.figure("series").value;
  const { watch } = strings;
  return (
    <>
      <h2>{watch.heading}</h2>
      <p>{watch.lead}</p>
      {offered.series.map((one) => (
        <p key={one}>
          <button type="button" onClick={() => view.send({ type: "open-series", name: one })}>
            {watch.open}
          </button>{" "}
          {one}
        </p>
      ))}
      {offered.hub && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== "") view.send({ type: "open-series", name: name.trim() });
          }}
        >
          <label class="field" for="series-name">
            {watch.series}
          </label>
          <div class="row">
            <input
              id="series-name"
              type="text"
              placeholder={watch.hubHint}
              spellcheck={false}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <button type="submit">{watch.open}</button>
          </div>
        </form>
      )}
      {series && figure && <Steps view={view} figure={figure} index={series.index} />}
    </>
  );
}

function Steps({ view, figure: { data }, index }: { view: ExplorerView; figure: SeriesFigure; index: number }) {
  const { watch } = strings;
  const step = Math.min(index, data.steps.length - 1);
  const trajectory = useMemo(() => trajectoryFigure(data, { scale: "log", measure: "pathShare" }), [data]);
  const shown = nearest(data.shown, step);
  const tokens = useMemo(
    () =>
      tokenTable({
        texts: data.tokens,
        ids: unpackInt32(data.ids),
        counts: [],
        observed: unpackFloat32(data.observed),
        fitted: unquantise(data.fitted[shown]!),
      }),
    [data, shown],
  );
  const cloud = useMemo(() => fitCloud(tokens), [tokens]);
  const selection = useMemo(() => newSelection(), [tokens]);
  return (
    <>
      <label class="field slider-field">
        <span>
          {watch.step} <output>{watch.stepText(data.steps[step]!)}</output>
        </span>
        <input
          type="range"
          min={0}
          max={data.steps.length - 1}
          value={step}
          aria-valuetext={watch.stepText(data.steps[step]!)}
          onInput={(event) => view.send({ type: "set-step", index: Number(event.currentTarget.value) })}
        />
      </label>
      <Tiles
        tiles={[
          [watch.tiles.r2, decimal(data.r2[step]!, 3)],
          [watch.tiles.cross, decimal(data.crossValidatedR2[step]!, 3)],
          [watch.tiles.spearman, decimal(data.spearman[step]!, 3)],
          [watch.tiles.gini, decimal(data.gini[step]!, 3)],
        ]}
      />
      <div class="columns two">
        <Chart title={watch.trajectory} caption={watch.lead} figure={trajectory} height={320} />
        <Cloud
          title={strings.read.fitTitle}
          caption={strings.read.fitCaption}
          tokens={tokens}
          selection={selection}
          landmarks={landmarks(tokens, 6, 4)}
          cloudAt={cloud}
          height={420}
        />
      </div>
    </>
  );
}

/** Position of the value nearest to one that is wanted. */
function nearest(values: readonly number[], wanted: number): number {
  let best = 0;
  for (const [position, value] of values.entries()) {
    if (Math.abs(value - wanted) < Math.abs(values[best]! - wanted)) best = position;
  }
  return best;
}
