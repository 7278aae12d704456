import { useState } from "preact/hooks";
import { filesOf } from "../dropped-files.js";
import { CopyButton } from "../parts/copy-button.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** Files of what was done, the command that does the same, and views that were kept. */
export function HomeRoom({ view }: { view: ExplorerView }) {
  const [name, setName] = useState("");
  const { home, kept, offered } = view.state.value!;
  const { home: words } = strings;
  return (
    <>
      <h2>{words.heading}</h2>
      <p>{words.lead}</p>
      {home.available.length === 0 && <p class="note">{words.nothing}</p>}
      <ul class="plain files">
        {home.available.map((what) => (
          <li key={what}>
            <button type="button" onClick={() => view.send({ type: "take-home", what })}>
              {words.names[what]}
            </button>
          </li>
        ))}
      </ul>
      <p class="note">
        {words.figures} {offered.writesTo === null ? "" : words.writesTo(offered.writesTo)}
      </p>
      {home.command && (
        <section aria-label={words.command}>
          <h3>{words.command}</h3>
          <pre>
            <code>{home.command}</code>
          </pre>
          <CopyButton label={words.copy} text={() => home.command!} />
        </section>
      )}
      <section aria-label={words.kept}>
        <h3>{words.kept}</h3>
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() === "") return;
            view.send({ type: "keep", name: name.trim() });
            setName("");
          }}
        >
          <input
            type="text"
            aria-label={words.keepName}
            placeholder={words.keepName}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <button type="submit">{words.keep}</button>
        </form>
        <ul class="plain">
          {kept.map((one, index) => (
            <li key={`${index} ${one.name}`}>
              {one.name}{" "}
              <button type="button" onClick={() => view.send({ type: "show-kept", index })}>
                {words.show}
              </button>{" "}
              <button type="button" onClick={() => view.send({ type: "forget-kept", index })}>
                {words.forget}
              </button>
            </li>
          ))}
        </ul>
        <label class="button">
          {words.loadPlan}
          <input
            type="file"
            onChange={(event) => {
              const [file] = filesOf(event.currentTarget.files);
              if (file) view.send({ type: "load-plan", file });
            }}
          />
        </label>
      </section>
    </>
  );
}
