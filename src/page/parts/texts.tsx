import { useState } from "preact/hooks";
import type { Writing } from "../../explore/actions.js";
import type { TextsFigure } from "../../explore/figures.js";
import type { GeneratedPiece } from "../../generation/generated-texts.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** Text before and after from the same random numbers, and what has it written. */
export function Texts({ view, of }: { view: ExplorerView; of: "steer" | "shrink" }) {
  const figure = view.figure("texts").value;
  const chosen = view.state.value!.choices.writing;
  const [writing, setWriting] = useState<Writing>(chosen);
  const { steer } = strings;
  const shown = figure?.of === of ? figure : null;
  const change = (field: keyof Writing) => (event: Event) =>
    setWriting({ ...writing, [field]: Number((event.target as HTMLInputElement).value) });
  return (
    <section class="texts" aria-labelledby={`texts-${of}`}>
      <h3 id={`texts-${of}`}>{steer.writeTitle}</h3>
      <p class="note">{steer.writeHint}</p>
      <form
        class="controls"
        onSubmit={(event) => {
          event.preventDefault();
          view.send({ type: "write", writing, of });
        }}
      >
        <label>
          {steer.length} <input type="number" min="1" max="400" value={writing.tokens} onInput={change("tokens")} />
        </label>
        <label>
          {steer.seed} <input type="number" min="0" max="2147483648" value={writing.seed} onInput={change("seed")} />
        </label>
        <label>
          {steer.temperature}{" "}
          <input
            type="number"
            min="0"
            max="10"
            step="0.1"
            value={writing.temperature}
            onInput={change("temperature")}
          />
        </label>
        <button type="submit" class="primary">
          {steer.write}
        </button>
      </form>
      <div class="columns two written" aria-live="polite">
        <Written title={steer.before} prompt={shown?.prompt ?? ""} pieces={shown?.before ?? []} />
        <Written title={steer.after} prompt={shown?.prompt ?? ""} pieces={shown?.after ?? []} />
      </div>
    </section>
  );
}

function Written({ title, prompt, pieces }: { title: string; prompt: string; pieces: TextsFigure["before"] }) {
  return (
    <div>
      <h4>{title}</h4>
      <p class="text">
        <b>{prompt}</b>
        {pieces.map(piece)}
      </p>
    </div>
  );
}

function piece({ text, edited }: GeneratedPiece, index: number) {
  return edited ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>;
}
