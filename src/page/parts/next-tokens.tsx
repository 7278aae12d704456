import type { PromptFigure } from "../../explore/figures.js";
import { probability } from "../../report/page/numbers.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";
import { Token } from "./token.js";

/** Rows that are shown; room is kept for all of them. */
const rows = 14;

/** What could come after the prompt: bars before and after. */
export function NextTokens({ view, figure }: { view: ExplorerView; figure: Omit<PromptFigure, "name"> | null }) {
  const { steer } = strings;
  const choices = figure?.choices.slice(0, rows) ?? [];
  const largest = Math.max(1e-9, ...choices.flatMap(({ before, after }) => [before, after]));
  return (
    <figure class="next">
      <h3>{steer.nextTitle}</h3>
      <table>
        <thead>
          <tr>
            <th scope="col">{strings.trim.columns.token}</th>
            <td class="bars" />
            <th scope="col" class="number">
              <span class="swatch outlined" /> {steer.before}
            </th>
            <th scope="col" class="number">
              <span class="swatch filled" /> {steer.after}
            </th>
          </tr>
        </thead>
        <tbody>
          {choices.map(({ id, text, before, after, edited }) => (
            <tr key={id} class={edited ? "edited" : ""}>
              <td>
                <Token view={view} id={id} text={text} />
              </td>
              <td class="bars" aria-hidden="true">
                <span class="bar outlined" style={{ width: `${(100 * before) / largest}%` }} />
                <span class="bar filled" style={{ width: `${(100 * after) / largest}%` }} />
              </td>
              <td class="number">{probability(before)}</td>
              <td class="number">{probability(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <figcaption>{figure === null ? strings.opening : steer.nextCaption(figure.kl)}</figcaption>
    </figure>
  );
}
