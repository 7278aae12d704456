import { useMemo, useState } from "preact/hooks";
import type { ModelChoice } from "../../explore/actions.js";
import type { ComparisonFigure } from "../../explore/figures.js";
import { probabilityCloud } from "../../report/client/comparison/probability-cloud.js";
import { newSelection } from "../../report/client/page/cloud/selection.js";
import { landmarks, tokenTable } from "../../report/client/page/tokens/token-table.js";
import { unpackFloat32, unpackInt32 } from "../../report/page/packed-numbers.js";
import { decimal, divergenceText, percent, probability, times } from "../format.js";
import { Cloud } from "../parts/cloud.js";
import { Tiles } from "../parts/tiles.js";
import { Token } from "../parts/token.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** Two models of one vocabulary on the text. */
export function CompareRoom({ view }: { view: ExplorerView }) {
  const [name, setName] = useState("");
  const { offered, dropped } = view.state.value!;
  const figure = view.figure("comparison").value;
  const { compare } = strings;
  const choices: [label: string, model: ModelChoice][] = [
    ...offered.models.map((one): [string, ModelChoice] => [one, { kind: "offered", name: one }]),
    ...dropped
      .filter(({ holds }) => holds === "model")
      .map(({ name: label, drop }): [string, ModelChoice] => [label, { kind: "dropped", drop }]),
    [strings.open.embedded, { kind: "embedded" }],
  ];
  return (
    <>
      <h2>{compare.heading}</h2>
      <p>{compare.lead}</p>
      {choices.map(([label, model]) => (
        <p key={label}>
          <button type="button" onClick={() => view.send({ type: "compare", model })}>
            {compare.go}
          </button>{" "}
          {label}
        </p>
      ))}
      {offered.hub && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== "") view.send({ type: "compare", model: { kind: "hub", name: name.trim() } });
          }}
        >
          <label class="field" for="other-name">
            {compare.other}
          </label>
          <div class="row">
            <input
              id="other-name"
              type="text"
              placeholder={strings.open.hubHint}
              spellcheck={false}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <button type="submit">{compare.go}</button>
          </div>
        </form>
      )}
      {figure && <Found view={view} figure={figure} />}
    </>
  );
}

function Found({ view, figure }: { view: ExplorerView; figure: ComparisonFigure }) {
  const { data, kl, js, top1, perplexity, movers, names } = figure;
  const { compare, shrink, token } = strings;
  const tokens = useMemo(
    () =>
      tokenTable({
        texts: data.tokens,
        ids: unpackInt32(data.ids),
        counts: [],
        observed: unpackFloat32(data.a),
        fitted: unpackFloat32(data.b),
      }),
    [data],
  );
  const cloud = useMemo(() => probabilityCloud(tokens, { height: "after" }), [tokens]);
  const selection = useMemo(() => newSelection(), [tokens]);
  return (
    <>
      <p>
        A: {names.a}, B: {names.b}
      </p>
      <Tiles
        tiles={[
          [compare.tiles.kl, divergenceText(kl)],
          [compare.tiles.js, divergenceText(js)],
          [compare.tiles.top1, percent(top1)],
          [compare.tiles.perplexity, shrink.change(decimal(perplexity.a, 2), decimal(perplexity.b, 2))],
        ]}
      />
      <div class="columns two">
        <Cloud
          title={compare.cloud}
          caption={compare.cloudCaption}
          tokens={tokens}
          selection={selection}
          landmarks={landmarks(tokens, 6, 6)}
          cloudAt={cloud}
          height={420}
        />
        <div class="wide">
          <h3>{compare.movers}</h3>
          <table>
            <thead>
              <tr>
                <th scope="col">{compare.columns.token}</th>
                <th scope="col" class="number">
                  {compare.columns.a}
                </th>
                <th scope="col" class="number">
                  {compare.columns.b}
                </th>
                <th scope="col" class="number">
                  {compare.columns.scale}
                </th>
              </tr>
            </thead>
            <tbody>
              {movers.slice(0, 20).map(({ id, text, a, b, scale }) => (
                <tr key={id}>
                  <td>
                    <Token view={view} id={id} text={text} />
                  </td>
                  <td class="number">{probability(a)}</td>
                  <td class="number">{probability(b)}</td>
                  <td class="number">{scale > 0 ? times(scale, "likelier", "rarer") : token.none}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </>
  );
}
