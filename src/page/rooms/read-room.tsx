import { useMemo, useState } from "preact/hooks";
import type { ReadFigure } from "../../explore/figures.js";
import { analysisTokens } from "../../report/client/analysis/analysis-tokens.js";
import { type ComponentAxes, componentCloud } from "../../report/client/analysis/component-figure.js";
import { fitCloud } from "../../report/client/analysis/fit-figure.js";
import { refitFigure, saliencyFigure } from "../../report/client/analysis/sparsity-figures.js";
import { mark, newSelection } from "../../report/client/page/cloud/selection.js";
import { findTokens, landmarks, type TokenTable } from "../../report/client/page/tokens/token-table.js";
import { decimal, percent } from "../format.js";
import { Chart } from "../parts/chart.js";
import { Cloud } from "../parts/cloud.js";
import { Tiles } from "../parts/tiles.js";
import { Token } from "../parts/token.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** Tokens that a search lists. */
const listed = 12;

/** The encoding of the open model over the text, as far as it has been read. */
export function ReadRoom({ view }: { view: ExplorerView }) {
  const figure = view.figure("read").value;
  const { text } = view.state.value!;
  const { read } = strings;
  const numbers = text?.numbers;
  const shown = (value: number | null | undefined, digits = 3) =>
    value === null || value === undefined ? strings.token.none : decimal(value, digits);
  return (
    <>
      <h2>{read.heading}</h2>
      <Tiles
        tiles={[
          [read.tiles.r2, shown(numbers?.r2)],
          [read.tiles.cross, shown(numbers?.crossValidatedR2)],
          [read.tiles.spearman, shown(numbers?.spearman)],
          [read.tiles.gini, shown(numbers?.gini)],
          [read.tiles.entropy, shown(numbers?.entropy, 2)],
          [read.tiles.top1, numbers ? percent(numbers.top1Mass) : strings.token.none],
        ]}
      />
      {numbers?.warnings.map((warning) => (
        <p class="warning" key={warning}>
          {warning}
        </p>
      ))}
      {figure === null ? (
        <p class="note">{text === null ? strings.readFirst : read.fillsWhileRunning}</p>
      ) : (
        <Figures view={view} figure={figure} />
      )}
    </>
  );
}

function Figures({ view, figure }: { view: ExplorerView; figure: ReadFigure }) {
  const { data } = figure;
  const { read } = strings;
  const tokens = useMemo(() => analysisTokens(data), [data]);
  const selection = useMemo(() => newSelection(), [data]);
  const axes = useMemo((): ComponentAxes => ({ across: 0, up: Math.min(1, data.components.length - 1) }), [data]);
  const places = useMemo(() => ({ fit: landmarks(tokens, 8, 5), map: landmarks(tokens, 12, 0) }), [tokens]);
  const fit = useMemo(() => fitCloud(tokens), [tokens]);
  const map = useMemo(() => componentCloud(data, tokens, axes), [tokens]);
  const saliency = useMemo(() => saliencyFigure(data), [data]);
  const refits = useMemo(() => (data.refits.length > 0 ? refitFigure(data) : null), [data]);
  return (
    <>
      <div class="columns wide-left">
        <Cloud
          title={read.fitTitle}
          caption={read.fitCaption}
          tokens={tokens}
          selection={selection}
          landmarks={places.fit}
          cloudAt={fit}
          height={480}
        />
        <Search view={view} tokens={tokens} onFound={(found) => mark(selection, found)} figure={figure} />
      </div>
      <div class="columns two">
        {data.components.length > 1 && (
          <Cloud
            title={read.mapTitle}
            caption={read.mapCaption}
            tokens={tokens}
            selection={selection}
            landmarks={places.map}
            cloudAt={map}
            height={420}
          />
        )}
        <div>
          <Chart title={read.saliencyTitle} caption={read.saliencyCaption} figure={saliency} height={280} />
          {refits && <Chart title={read.refitTitle} caption={read.refitCaption} figure={refits} height={280} />}
        </div>
      </div>
      {figure.theory && (
        <section>
          <h3>{read.theory}</h3>
          <p>{read.theoryText(figure.theory.meanFieldR2, figure.theory.secondOrderR2)}</p>
          {figure.theory.prior && <p>{read.prior(figure.theory.prior.r2, figure.theory.prior.spearman)}</p>}
        </section>
      )}
    </>
  );
}

function Search({
  view,
  tokens,
  onFound,
  figure,
}: {
  view: ExplorerView;
  tokens: TokenTable;
  onFound: (found: readonly number[]) => void;
  figure: ReadFigure;
}) {
  const [query, setQuery] = useState("");
  const { read } = strings;
  const found = useMemo(() => findTokens(tokens, query, listed), [tokens, query]);
  const rowOf = useMemo(() => new Map(Array.from(tokens.ids, (id, row) => [id, row])), [tokens]);
  const rows = (ids: readonly number[]) => ids.flatMap((id) => rowOf.get(id) ?? []).slice(0, 8);
  const list = (items: readonly number[]) => (
    <ul class="token-list">
      {items.map((row) => (
        <li key={row}>
          <Token view={view} id={tokens.ids[row]!} text={tokens.texts[row]!} />
          <span>{read.tokenLine(tokens.observed[row]!, tokens.fitted[row]!)}</span>
        </li>
      ))}
    </ul>
  );
  return (
    <div class="search side">
      <label for="token-search">{read.search}</label>
      <input
        id="token-search"
        type="search"
        placeholder={read.searchHint}
        spellcheck={false}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          onFound(findTokens(tokens, event.currentTarget.value, listed));
        }}
      />
      {query === "" ? (
        <>
          <p class="list-title">{read.worst}</p>
          {list(rows(figure.worst))}
          <p class="list-title">{read.best}</p>
          {list(rows(figure.best))}
        </>
      ) : (
        list(found)
      )}
    </div>
  );
}
