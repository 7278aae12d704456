import { useMemo, useState } from "preact/hooks";
import { massFigure } from "../../report/client/trimming/mass-figure.js";
import { count, probability } from "../format.js";
import { Chart } from "../parts/chart.js";
import { Token } from "../parts/token.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** Which tokens a model can do without on the text. */
export function TrimRoom({ view }: { view: ExplorerView }) {
  const { trim, choices, model } = view.state.value!;
  const figure = view.figure("trim").value;
  const [moving, setMoving] = useState<number | null>(null);
  const { trim: words } = strings;
  const most = model?.vocabSize ?? 1;
  const size = moving ?? choices.trim ?? most;
  const curve = useMemo(() => {
    if (figure === null || figure.curve.length === 0) return null;
    const chosen = {
      vocabSize: trim?.kept ?? most,
      removedMass: trim?.removedMass ?? 0,
      removedOfText: trim?.removedOfText ?? 0,
    };
    return massFigure({ curve: figure.curve, chosen });
  }, [figure, trim, most]);
  return (
    <>
      <h2>{words.heading}</h2>
      <p>{words.lead}</p>
      <label class="field slider-field">
        <span>
          {words.size} <output>{count(size)}</output>
        </span>
        <input
          type="range"
          min={Math.min(300, most)}
          max={most}
          value={size}
          onInput={(event) => setMoving(Number(event.currentTarget.value))}
          onChange={(event) => {
            setMoving(null);
            view.send({ type: "set-trim", vocabSize: Number(event.currentTarget.value) });
          }}
        />
      </label>
      <p>
        <button
          type="button"
          disabled={choices.trim === null}
          onClick={() => view.send({ type: "set-trim", vocabSize: null })}
        >
          {words.reset}
        </button>
      </p>
      <p aria-live="polite">{trim && words.facts(trim.kept, trim.removedMass, trim.removedOfText)}</p>
      <Chart title={words.curve} caption={words.curveCaption} figure={curve} height={320} />
      {figure && figure.goes.length > 0 && (
        <div class="wide">
          <h3>{words.goes}</h3>
          <table>
            <thead>
              <tr>
                <th scope="col">{words.columns.token}</th>
                <th scope="col" class="number">
                  {words.columns.probability}
                </th>
                <th scope="col" class="number">
                  {words.columns.count}
                </th>
              </tr>
            </thead>
            <tbody>
              {figure.goes.slice(0, 30).map(({ id, text, probability: value, count: times }) => (
                <tr key={id}>
                  <td>
                    <Token view={view} id={id} text={text} />
                  </td>
                  <td class="number">{probability(value)}</td>
                  <td class="number">{count(times)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
