import { useRef, useState } from "preact/hooks";
import type { Position } from "../../explore/actions.js";
import type { LiveFigure } from "../../explore/figures.js";
import type { ChosenEdit, EditState } from "../../explore/state.js";
import { visibleToken } from "../../report/page/visible-text.js";
import { positionText, strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** The slider's ends: factors of 10 to the power of so much. */
const reach = 3;
const step = 0.01;

/** One edit: a slider from 1000 times rarer to 1000 times likelier, a ban, and what it does. */
export function EditSlider({
  view,
  index,
  edit,
  known,
  live,
}: {
  view: ExplorerView;
  index: number;
  edit: ChosenEdit;
  known: EditState | undefined;
  live: LiveFigure | null;
}) {
  const [moving, setMoving] = useState<Position | null>(null);
  const frame = useRef(0);
  const { steer } = strings;
  const position = moving ?? edit.position;
  const slide = (to: Position) => {
    setMoving(to);
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() =>
      view.send({ type: "slide", edit: index, position: to, sequence: view.nextSequence() }),
    );
  };
  const release = (to: Position) => {
    cancelAnimationFrame(frame.current);
    setMoving(null);
    view.send({ type: "release", edit: index, position: to });
  };
  const banned = position === "ban";
  return (
    <li class="edit">
      <div class="edit-head">
        <bdi class="token">{visibleToken(edit.selector)}</bdi>
        <output class="value">{positionText(position)}</output>
        <label class="ban">
          <input type="checkbox" checked={banned} onChange={() => release(banned ? 1 : "ban")} /> {steer.ban}
        </label>
        <button
          type="button"
          class="quiet"
          aria-label={steer.remove(edit.selector)}
          onClick={() => view.send({ type: "remove-edit", edit: index })}
        >
          ×
        </button>
      </div>
      <input
        type="range"
        min={-reach}
        max={reach}
        step={step}
        value={banned ? -reach : Math.log10(position)}
        disabled={banned}
        aria-label={steer.slider(edit.selector)}
        aria-valuetext={positionText(position)}
        onInput={(event) => slide(factorAt(event.currentTarget))}
        onChange={(event) => release(factorAt(event.currentTarget))}
      />
      <div class="scale" aria-hidden="true">
        <span>{steer.rarer}</span>
        <span>{steer.same}</span>
        <span>{steer.likelier}</span>
      </div>
      <p class="note" aria-live="polite">
        {note(view, index, known, live, moving !== null)}
      </p>
    </li>
  );
}

/** Where a slider stands, as a factor; its middle is exactly 1. */
function factorAt(input: HTMLInputElement): number {
  const exponent = Number(input.value);
  return Math.abs(exponent) < step / 2 ? 1 : Math.min(1e3, Math.max(1e-3, 10 ** exponent));
}

function note(
  view: ExplorerView,
  index: number,
  known: EditState | undefined,
  live: LiveFigure | null,
  moving: boolean,
): string {
  const { steer } = strings;
  if (known === undefined) return "";
  const { solved, before, texts, tokens, notes } = known;
  const parts = [steer.tokens(texts, tokens.length), ...notes];
  const now = live?.probability[index];
  const position = view.state.value!.choices.edits[index]?.position;
  if (moving && now) parts.push(steer.mean(now.before, now.after));
  else if (solved && before !== null) {
    parts.push(
      steer.mean(before, solved.after),
      solved.bound === null ? steer.exact(solved.relativeSize) : steer.bound(solved.bound),
    );
    if (solved.shortfall) parts.push(solved.shortfall);
  } else if (before !== null) parts.push(position === 1 ? steer.meanBefore(before) : steer.solving);
  else parts.push(steer.preparing);
  return parts.filter((part) => part !== "").join(" · ");
}
