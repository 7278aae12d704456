import { readHeadRows } from "../../model/head/head-rows.js";
import { transform } from "../../model/head/head-transform.js";
import type { Position } from "../actions.js";
import type { Desk } from "../desk.js";
import { solvedNow, textKey } from "../desk.js";
import type { LiveFigure } from "../figures.js";
import { type LiveAnswer, type LiveSlide, openSlide, type StandingEdit } from "./live-slide.js";
import { type ChangedLogits, promptFigure } from "./prompt.js";
import { meanOf, pathKey, type SlideAction } from "./steer-room.js";

/** A slider that stands on "ban" answers as at its lower end: what a ban does is known when it is let go. */
const lowest = Math.log(1e-3);

const placeOf = (position: Position): number => (position === "ban" ? lowest : Math.log(position));

/** Answers one position of a slider, where its path is there. */
export async function answerSlide(desk: Desk, action: SlideAction, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const { chosen, store, model, read } = desk;
  const one = chosen[action.edit];
  const path = one && desk.paths.get(pathKey(desk, one));
  if (one === undefined || path === undefined || model === undefined || read === undefined) return;
  const solve = solvedNow(desk);
  const key = `${textKey(desk)} ${action.edit} ${pathKey(desk, one)} ${path.places.length} ${JSON.stringify(othersOf(desk, action.edit))} ${solve !== undefined}`;
  let live = desk.slide?.key === key ? desk.slide.live : undefined;
  if (live === undefined) {
    const standing = await standingEdits(desk, action.edit);
    live = await openSlide(model, read.contexts, path, standing, signal);
    if (desk.model !== model || desk.read !== read || signal.aborted) return;
    desk.slide = { key, live };
    // What was sent meanwhile is newer.
    if (desk.newest.slide !== undefined) return;
  }
  const answer = live.answer(placeOf(action.position));
  const standing = desk.slide?.live === live ? await standingEdits(desk, action.edit) : [];
  store.show({
    name: "live",
    ...{ sequence: action.sequence, edit: action.edit, position: action.position },
    probability: probabilities(desk, action.edit, answer),
    size: Math.sqrt(answer.square + standing.reduce((sum, { rows }) => sum + squared(rows), 0)),
    kl: answer.kl,
    prompt: promptOf(desk, live, answer, standing),
    milliseconds: performance.now() - started,
  } satisfies LiveFigure);
}

const othersOf = (desk: Desk, edit: number) => desk.store.state.choices.edits.filter((_, index) => index !== edit);

function probabilities(desk: Desk, edit: number, { scale, others }: LiveAnswer): LiveFigure["probability"] {
  const standing = standingIndices(desk, edit);
  return desk.chosen.map((one, index) => {
    const before = meanOf(desk, one);
    const place = standing.indexOf(index);
    return { before, after: before * (index === edit ? scale : place >= 0 ? others[place]! : 1) };
  });
}

/** Which of the edits stand as they were solved while another one's slider moves. */
function standingIndices(desk: Desk, edit: number): number[] {
  if (solvedNow(desk) === undefined) return [];
  return desk.chosen.flatMap(({ inContext }, index) =>
    index !== edit && !inContext && desk.store.state.choices.edits[index]!.position !== 1 ? [index] : [],
  );
}

const standingOf = new WeakMap<object, Map<number, readonly StandingEdit[]>>();

/** Their rows, by the exact solve. */
async function standingEdits(desk: Desk, edit: number): Promise<readonly StandingEdit[]> {
  const solve = solvedNow(desk);
  if (solve === undefined) return [];
  const known = standingOf.get(solve) ?? new Map<number, readonly StandingEdit[]>();
  standingOf.set(solve, known);
  const before = known.get(edit);
  if (before !== undefined) return before;
  const { ids: all, values } = solve.solution.rows;
  const d = desk.model!.hiddenSize;
  const found: StandingEdit[] = [];
  for (const index of standingIndices(desk, edit)) {
    const ids = desk.chosen[index]!.ids;
    const { rows } = await readHeadRows(desk.model!.head, ids);
    const change = rows.map((value, at) => {
      const j = all.indexOf(ids[Math.floor(at / d)]!);
      return j < 0 ? 0 : values[j * d + (at % d)]! - value;
    });
    found.push({ ids, rows: change });
  }
  known.set(edit, found);
  return found;
}

function promptOf(desk: Desk, { path }: LiveSlide, { between }: LiveAnswer, standing: readonly StandingEdit[]) {
  const { prompt, model, chosen } = desk;
  if (prompt === undefined || model === undefined) return null;
  const { from, to, share, length } = between;
  const d = model.hiddenSize;
  const changed = new Map<number, number>();
  const put = (ids: readonly number[], along: (at: number) => number) => {
    for (const [j, id] of ids.entries()) {
      let shift = 0;
      for (let i = 0; i < d; i++) shift += along(j * d + i) * prompt.hidden[i]!;
      changed.set(id, shifted(prompt.logits[id]!, shift, model.head.transform));
    }
  };
  const [a, b] = [path.rows[from]!, path.rows[to]!];
  put(path.ids, (at) => length * ((1 - share) * a[at]! + share * b[at]!));
  for (const { ids, rows } of standing) put(ids, (at) => rows[at]!);
  return promptFigure(prompt, changed as ChangedLogits, new Set(chosen.flatMap(({ ids }) => ids)));
}

/** A logit whose value before the head's transform grows. */
function shifted(z: number, shift: number, own: Parameters<typeof transform>[0]): number {
  const { scale = 1, softCap } = own;
  const inner =
    softCap === undefined ? z : softCap * Math.atanh(Math.max(-1 + 1e-12, Math.min(1 - 1e-12, z / softCap)));
  return transform(own, inner / scale + shift).value;
}

const squared = (rows: Float64Array): number => rows.reduce((sum, value) => sum + value * value, 0);
