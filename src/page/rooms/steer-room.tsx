import { useRef, useState } from "preact/hooks";
import type { Method } from "../../steering/plan/method.js";
import { decimal, divergenceText, percent, significant } from "../format.js";
import { EditSlider } from "../parts/edit-slider.js";
import { NextTokens } from "../parts/next-tokens.js";
import { Texts } from "../parts/texts.js";
import { Tiles } from "../parts/tiles.js";
import { Token } from "../parts/token.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** Milliseconds without a key until a prompt is read. */
const pause = 250;

/** Sliders, the prompt's next token before and after, and what else moves. */
export function SteerRoom({ view }: { view: ExplorerView }) {
  const { choices, edits } = view.state.value!;
  const live = view.figure("live").value;
  const prompt = view.figure("prompt").value;
  const solved = view.figure("solved").value;
  // While a slider moves its answer is the newer one; the exact solve hides it.
  const shown = live?.prompt ?? prompt;
  const { steer } = strings;
  return (
    <>
      <h2>{steer.heading}</h2>
      <p>{strings.primer}</p>
      <div class="columns wide-left">
        <div>
          <AddEdit view={view} />
          <ul class="edits">
            {choices.edits.map((edit, index) => (
              <EditSlider
                key={`${edit.selector}`}
                view={view}
                index={index}
                edit={edit}
                known={edits[index]}
                live={live}
              />
            ))}
          </ul>
          <MethodChoice view={view} />
        </div>
        <div>
          <Prompt view={view} />
          <NextTokens view={view} figure={shown} />
        </div>
      </div>
      <Texts view={view} of="steer" />
      <section aria-label={steer.numbers}>
        <h3>{steer.numbers}</h3>
        <Tiles
          tiles={[
            [steer.tiles.kl, live ? divergenceText(live.kl) : solved ? divergenceText(solved.kl) : strings.token.none],
            [steer.tiles.js, solved ? divergenceText(solved.js) : strings.token.none],
            [steer.tiles.top1, solved ? percent(solved.top1) : strings.token.none],
            [
              steer.tiles.perplexity,
              solved ? steer.perplexity(solved.perplexity.before, solved.perplexity.after) : strings.token.none,
            ],
            [steer.tiles.size, live || solved ? significant((live ?? solved)!.size) : strings.token.none],
          ]}
        />
        {solved?.warnings.map((warning) => (
          <p class="warning" key={warning}>
            {warning}
          </p>
        ))}
        {solved && (
          <>
            <h4>{steer.moved}</h4>
            <ul class="token-list">
              {solved.moved.slice(0, 12).map(({ id, text, before, after }) => (
                <li key={id}>
                  <Token view={view} id={id} text={text} />
                  <span>{steer.mean(before, after)}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </section>
    </>
  );
}

function Prompt({ view }: { view: ExplorerView }) {
  const timer = useRef<ReturnType<typeof setTimeout>>();
  return (
    <label class="field">
      {strings.steer.prompt}
      <textarea
        rows={2}
        value={view.state.value!.choices.prompt}
        onInput={(event) => {
          const prompt = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => view.send({ type: "set-prompt", prompt }), pause);
        }}
      />
    </label>
  );
}

/** Tokens that could come next, each of which a press gives a slider; and a field for any other. */
function AddEdit({ view }: { view: ExplorerView }) {
  const [selector, setSelector] = useState("");
  const { steer } = strings;
  const add = (text: string) => {
    view.send({ type: "add-edit", selector: text });
    setSelector("");
  };
  const next = view.figure("prompt").value?.choices ?? [];
  const chosen = new Set(view.state.value!.choices.edits.map((edit) => edit.selector));
  return (
    <>
      <form
        class="add"
        onSubmit={(event) => {
          event.preventDefault();
          if (selector !== "") add(selector);
        }}
      >
        <label class="field" for="selector">
          {steer.addLabel}
        </label>
        <div class="row">
          <input
            id="selector"
            type="text"
            autocomplete="off"
            spellcheck={false}
            value={selector}
            aria-describedby="selector-hint"
            onInput={(event) => setSelector(event.currentTarget.value)}
          />
          <button type="submit" class="primary">
            {steer.add}
          </button>
        </div>
        <p class="note" id="selector-hint">
          {steer.addHint}
        </p>
      </form>
      <div class="chips">
        {next
          .filter(({ text }) => !chosen.has(text) && text.trim() !== "")
          .slice(0, 6)
          .map(({ id, text }) => (
            <button type="button" key={id} aria-label={steer.chip(text)} onClick={() => add(text)}>
              + {text.trim()}
            </button>
          ))}
      </div>
    </>
  );
}

function MethodChoice({ view }: { view: ExplorerView }) {
  const { method, lambda, edits } = view.state.value!.choices;
  const compared = view.figure("methods").value;
  const { steer } = strings;
  const names = Object.entries(steer.methodNames) as [Method, string][];
  return (
    <details class="methods">
      <summary>
        {steer.method}: {method}
      </summary>
      <label class="field">
        {steer.method}
        <select
          value={method}
          onChange={(event) => view.send({ type: "set-method", method: event.currentTarget.value as Method, lambda })}
        >
          {names.map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <button type="button" disabled={edits.length === 0} onClick={() => view.send({ type: "compare-methods" })}>
        {steer.methods}
      </button>
      {compared && (
        <table>
          <thead>
            <tr>
              <th scope="col">{steer.methodsTable.method}</th>
              <th scope="col" class="number">
                {steer.methodsTable.reached}
              </th>
              <th scope="col" class="number">
                {steer.methodsTable.size}
              </th>
              <th scope="col" class="number">
                {steer.methodsTable.kl}
              </th>
            </tr>
          </thead>
          <tbody>
            {compared.methods.map((one) => (
              <tr key={one.method}>
                <th scope="row">{one.method}</th>
                <td class="number">{one.problem ?? one.reached.map((share) => decimal(share, 3)).join(", ")}</td>
                <td class="number">{one.size === null ? strings.token.none : significant(one.size)}</td>
                <td class="number">{one.kl === null ? strings.token.none : significant(one.kl)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}
