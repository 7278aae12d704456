import type { Room } from "../explore/actions.js";
import type { State } from "../explore/state.js";
import { lost } from "./http-link.js";
import { CopyButton } from "./parts/copy-button.js";
import { TokenPage } from "./parts/token-page.js";
import { CompareRoom } from "./rooms/compare-room.js";
import { HomeRoom } from "./rooms/home-room.js";
import { OpenRoom } from "./rooms/open-room.js";
import { ReadRoom } from "./rooms/read-room.js";
import { ShrinkRoom } from "./rooms/shrink-room.js";
import { SteerRoom } from "./rooms/steer-room.js";
import { TrimRoom } from "./rooms/trim-room.js";
import { WatchRoom } from "./rooms/watch-room.js";
import { strings } from "./strings.js";
import { theme, toggleTheme } from "./theme.js";
import type { ExplorerView } from "./view.js";

const rooms: Record<Room, (props: { view: ExplorerView }) => preact.ComponentChildren> = {
  open: OpenRoom,
  read: ReadRoom,
  steer: SteerRoom,
  shrink: ShrinkRoom,
  trim: TrimRoom,
  watch: WatchRoom,
  compare: CompareRoom,
  home: HomeRoom,
};

/** Rooms that say something only of an open model. */
const ofModels: ReadonlySet<Room> = new Set(["read", "steer", "shrink", "trim", "compare"]);

/** The whole page. @param documentation its address, where it lies beside the page */
export function App({ view, documentation }: { view: ExplorerView; documentation: string | undefined }) {
  const state = view.state.value;
  if (state === null) return <p class="page note">{lost.value ? strings.connectionLost : strings.opening}</p>;
  const Shown = rooms[state.room];
  return (
    <div class="page explorer">
      <a class="skip" href="#content">
        {strings.skip}
      </a>
      <header>
        <div class="top">
          <nav aria-label={strings.roomsLabel}>
            {(Object.keys(rooms) as Room[]).map((room) => (
              <button
                type="button"
                key={room}
                aria-current={room === state.room ? "page" : undefined}
                onClick={() => view.send({ type: "go", room })}
              >
                {strings.rooms[room]}
              </button>
            ))}
          </nav>
          <Tools view={view} state={state} />
        </div>
        <Status view={view} state={state} />
      </header>
      <main id="content" tabIndex={-1}>
        {ofModels.has(state.room) && state.model === null && state.tasks.length === 0 ? (
          <p class="note">{strings.openFirst}</p>
        ) : (
          <Shown view={view} />
        )}
      </main>
      <TokenPage view={view} />
      <footer>
        {strings.footer}
        {documentation && (
          <>
            {" "}
            <a href={documentation}>{strings.documentation}</a>
          </>
        )}
      </footer>
    </div>
  );
}

function Tools({ view, state }: { view: ExplorerView; state: State }) {
  const link = () => `${location.href.replace(/#.*/, "")}#${view.state.value!.address}`;
  return (
    <div class="tools">
      <button type="button" disabled={!state.canUndo} onClick={() => view.send({ type: "undo" })}>
        {strings.undo}
      </button>
      <button type="button" disabled={!state.canRedo} onClick={() => view.send({ type: "redo" })}>
        {strings.redo}
      </button>
      <CopyButton label={strings.copyLink} text={link} />
      <button type="button" onClick={toggleTheme}>
        {theme.value === "dark" ? strings.lightTheme : strings.darkTheme}
      </button>
    </div>
  );
}

/** What is open, what is being done, and what went wrong: one line each, for which room is kept. */
function Status({ view, state }: { view: ExplorerView; state: State }) {
  const { model, text, problem } = state;
  const task = state.tasks.at(0);
  return (
    <div class="status">
      <p class="eyebrow">
        {model === null
          ? strings.noModel
          : strings.modelLine(model.name, model.modelType, model.vocabSize, model.hiddenSize)}
        {" · "}
        {text === null ? strings.noText : strings.textLine(text.name, text.contexts, text.complete)}
      </p>
      <p class="task" role="status">
        {task && (
          <>
            <progress
              max={task.total ?? undefined}
              value={task.total === null ? undefined : task.done}
              aria-label={task.label}
            />{" "}
            {strings.task(task.label, strings.progress(task.done, task.total, task.unit))}{" "}
            <button type="button" class="quiet" onClick={() => view.send({ type: "stop", task: task.name })}>
              {strings.stop}
            </button>
          </>
        )}
        {lost.value && strings.connectionLost}
      </p>
      {problem && (
        <div class="problem" role="alert">
          <b>{strings.problemTitle}.</b> {problem.message}{" "}
          <button type="button" class="quiet" onClick={() => view.send({ type: "dismiss-problem" })}>
            {strings.dismiss}
          </button>
        </div>
      )}
    </div>
  );
}
