// <unembed-report src="FOLDER">: a run's figures in any page or notebook (docs/explorer.md). One script, which brings its looks.
import { render } from "preact";
import { useMemo } from "preact/hooks";
import { analysisTokens } from "../report/client/analysis/analysis-tokens.js";
import { componentCloud } from "../report/client/analysis/component-figure.js";
import { fitCloud } from "../report/client/analysis/fit-figure.js";
import { refitFigure, saliencyFigure } from "../report/client/analysis/sparsity-figures.js";
import { newSelection } from "../report/client/page/cloud/selection.js";
import { landmarks } from "../report/client/page/tokens/token-table.js";
import { DARK, LIGHT, style } from "../report/page/style.js";
import { decimal } from "./format.js";
import { Chart } from "./parts/chart.js";
import { Cloud } from "./parts/cloud.js";
import { type RunFigures, runFigures } from "./run-figures.js";
import { strings } from "./strings.js";

/** Colours stand at the root, where figures look for them; all other rules hold inside the element only. */
const ownStyle = `:root {${LIGHT}}
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) {${DARK}} }
:root[data-theme="dark"] {${DARK}}
unembed-report { display: block; color: var(--ink); background: var(--ground); ${style} }`;

function Report({ model, contexts, r2, data }: RunFigures) {
  const { read, embed } = strings;
  const shown = useMemo(() => {
    const tokens = analysisTokens(data);
    const axes = { across: 0, up: Math.min(1, data.components.length - 1) };
    return {
      ...{ tokens, selection: newSelection(), fit: fitCloud(tokens), map: componentCloud(data, tokens, axes) },
      ...{ saliency: saliencyFigure(data), refits: data.refits.length > 0 ? refitFigure(data) : null },
    };
  }, [data]);
  const { tokens, selection, fit, map, saliency, refits } = shown;
  return (
    <>
      <p class="eyebrow">{embed.line(model, contexts, decimal(r2, 3))}</p>
      <Cloud
        title={read.fitTitle}
        caption={read.fitCaption}
        landmarks={landmarks(tokens, 8, 5)}
        cloudAt={fit}
        {...{ tokens, selection, height: 480 }}
      />
      {data.components.length > 1 && (
        <Cloud
          title={read.mapTitle}
          caption={read.mapCaption}
          landmarks={landmarks(tokens, 12, 0)}
          cloudAt={map}
          {...{ tokens, selection, height: 420 }}
        />
      )}
      <Chart title={read.saliencyTitle} caption={read.saliencyCaption} figure={saliency} height={280} />
      {refits && <Chart title={read.refitTitle} caption={read.refitCaption} figure={refits} height={280} />}
    </>
  );
}

class UnembedReport extends HTMLElement {
  static readonly observedAttributes = ["src"];
  #shown = 0;

  attributeChangedCallback(): void {
    void this.#show(++this.#shown);
  }

  async #show(turn: number): Promise<void> {
    const say = (content: preact.ComponentChild) => turn === this.#shown && render(content, this);
    const source = this.getAttribute("src");
    if (source === null) return void say(null);
    say(<p class="note">{strings.opening}</p>);
    try {
      const folder = new URL(source.endsWith("/") ? source : `${source}/`, document.baseURI);
      const [run, tensors, tokens] = await Promise.all([
        fetched(new URL("run.json", folder)).then((answer) => answer.text()),
        fetched(new URL("tensors.safetensors", folder)).then((answer) => answer.arrayBuffer()),
        fetched(new URL("tokens.csv", folder)).then(
          (answer) => answer.text(),
          () => undefined,
        ),
      ]);
      const figures = await runFigures(run, new Uint8Array(tensors), tokens);
      say(<Report {...figures} />);
    } catch (error) {
      say(<p role="alert">{strings.embed.problem(source, (error as Error).message)}</p>);
    }
  }
}

async function fetched(address: URL): Promise<Response> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address.href}: the server answers with status ${answer.status}`);
  return answer;
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(ownStyle);
document.adoptedStyleSheets.push(sheet);
customElements.define("unembed-report", UnembedReport);
