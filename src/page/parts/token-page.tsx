import { axisX, barX, plot, ruleX } from "@observablehq/plot";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { TokenFigure } from "../../explore/figures.js";
import type { Figure } from "../../report/client/page/figure.js";
import { probability, significant } from "../format.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";
import { Chart } from "./chart.js";
import { Tiles } from "./tiles.js";
import { Token } from "./token.js";

/** Dimensions that are drawn. */
const drawn = 40;

/** A token's own page: what carries its probability, its neighbours, and where the text had it. */
export function TokenPage({ view }: { view: ExplorerView }) {
  const figure = view.figure("token").value;
  const dialog = useRef<HTMLDialogElement>(null);
  const wanted = view.state.value!.token;
  const open = wanted !== null && figure?.id === wanted;
  useEffect(() => {
    if (open && !dialog.current!.open) dialog.current!.showModal();
    if (!open && dialog.current!.open) dialog.current!.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="token-page"
      aria-labelledby="token-heading"
      onClose={() => view.send({ type: "show-token", id: null })}
    >
      {open && figure && <Contents view={view} figure={figure} />}
    </dialog>
  );
}

function Contents({ view, figure }: { view: ExplorerView; figure: TokenFigure }) {
  const { token } = strings;
  const bars = useMemo(() => contributionFigure(figure), [figure]);
  return (
    <>
      <div class="chart-head">
        <h2 id="token-heading">{token.heading(figure.text)}</h2>
        <button type="button" onClick={() => view.send({ type: "show-token", id: null })}>
          {token.close}
        </button>
      </div>
      <Tiles
        tiles={[
          [token.facts.probability, probability(figure.probability)],
          [token.facts.fitted, probability(figure.fitted)],
          [token.facts.frequency, probability(figure.frequency)],
          ...(figure.prior === null ? [] : [[token.facts.prior, probability(Math.exp(figure.prior))] as const]),
        ]}
      />
      <p>
        <button
          type="button"
          class="primary"
          onClick={() => {
            view.send({ type: "show-token", id: null });
            view.send({ type: "add-edit", selector: `id:${figure.id}` });
            view.send({ type: "go", room: "steer" });
          }}
        >
          {token.steer}
        </button>
      </p>
      <Chart title={token.contributions} caption={token.contributionsCaption(figure.base)} figure={bars} height={220} />
      <div class="columns two">
        <section>
          <h3>{token.neighbours}</h3>
          <ul class="token-list">
            {figure.neighbours.slice(0, 12).map(({ id, text, cosine }) => (
              <li key={id}>
                <Token view={view} id={id} text={text} />
                <span>{token.cosine(cosine)}</span>
              </li>
            ))}
          </ul>
        </section>
        <section>
          <h3>{token.passages}</h3>
          <ul class="passages">
            {figure.passages.map(({ context, probability: value, before, next, after, hit }) => (
              <li key={context}>
                <p>
                  {before}
                  {hit ? <mark>{next}</mark> : <u>{next}</u>}
                  {after}
                </p>
                <small>{token.passage(value, hit)}</small>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </>
  );
}

function contributionFigure({ contributions }: TokenFigure): Figure {
  const bars = Array.from(contributions, (nats, dimension) => ({ dimension, nats }))
    .sort((a, b) => Math.abs(b.nats) - Math.abs(a.nats))
    .slice(0, drawn)
    .sort((a, b) => a.nats - b.nats);
  const title = ({ dimension, nats }: (typeof bars)[number]) =>
    `${strings.token.dimension(dimension)}: ${significant(nats)}`;
  return (width) =>
    plot({
      width,
      height: 30 + 6 * bars.length,
      marginLeft: 14,
      marginRight: 14,
      y: { axis: null, type: "band", domain: bars.map(({ dimension }) => dimension) },
      marks: [
        barX(bars, {
          x: "nats",
          y: "dimension",
          fill: ({ nats }: { nats: number }) => (nats < 0 ? "var(--accent)" : "var(--warm)"),
          title,
        }),
        ruleX([0]),
        axisX({ label: null, ticks: 6 }),
      ],
    });
}
