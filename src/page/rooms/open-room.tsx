import { useState } from "preact/hooks";
import { droppedFiles, filesOf } from "../dropped-files.js";
import { strings } from "../strings.js";
import type { ExplorerView } from "../view.js";

/** What can be opened: the embedded model, the hub, what is dropped; and the text that it reads. */
export function OpenRoom({ view }: { view: ExplorerView }) {
  const { open } = strings;
  return (
    <>
      <h2>{open.heading}</h2>
      <p>{strings.primer}</p>
      <div class="columns two">
        <Models view={view} />
        <TextsToRead view={view} />
      </div>
    </>
  );
}

function Models({ view }: { view: ExplorerView }) {
  const [name, setName] = useState("");
  const { offered, dropped, download } = view.state.value!;
  const { open } = strings;
  return (
    <section aria-label={open.model}>
      <h3>{open.model}</h3>
      <p>
        <button
          type="button"
          class="primary"
          onClick={() => view.send({ type: "open-model", model: { kind: "embedded" } })}
        >
          {open.openEmbedded}
        </button>{" "}
        {open.embedded}
      </p>
      {offered.models.map((one) => (
        <p key={one}>
          <button
            type="button"
            onClick={() => view.send({ type: "open-model", model: { kind: "offered", name: one } })}
          >
            {open.offered}
          </button>{" "}
          {one}
        </p>
      ))}
      {offered.runs.map((run) => (
        <p key={run}>
          <button type="button" onClick={() => view.send({ type: "open-run", name: run })}>
            {open.offered}
          </button>{" "}
          {open.runs}: {run}
        </p>
      ))}
      {offered.hub && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== "") view.send({ type: "open-model", model: { kind: "hub", name: name.trim() } });
          }}
        >
          <label class="field" for="hub-name">
            {open.hub}
          </label>
          <div class="row">
            <input
              id="hub-name"
              type="text"
              placeholder={open.hubHint}
              spellcheck={false}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <button type="submit">{open.hubOpen}</button>
          </div>
        </form>
      )}
      {download && (
        <div class="asked" role="alertdialog" aria-label={open.download(download.name, download.bytes)}>
          <p>{open.download(download.name, download.bytes)}</p>
          <ul class="note">
            {download.files.map((file) => (
              <li key={file.name}>{open.downloadFile(file.name, file.bytes, file.cached)}</li>
            ))}
          </ul>
          <button type="button" class="primary" onClick={() => view.send({ type: "download", accept: true })}>
            {open.accept}
          </button>{" "}
          <button type="button" onClick={() => view.send({ type: "download", accept: false })}>
            {open.decline}
          </button>
        </div>
      )}
      <DropPlace view={view} />
      <ul class="plain">
        {dropped.map(({ drop, name: label, holds, bytes }) => (
          <li key={drop}>
            <button
              type="button"
              onClick={() =>
                view.send(
                  holds === "model"
                    ? { type: "open-model", model: { kind: "dropped", drop } }
                    : { type: "open-text", text: { kind: "dropped", drop } },
                )
              }
            >
              {open.offered}
            </button>{" "}
            {open.dropped(label, holds, bytes)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function DropPlace({ view }: { view: ExplorerView }) {
  const [over, setOver] = useState(false);
  const { open } = strings;
  const send = (files: ReturnType<typeof filesOf>) => {
    if (files.length > 0) view.send({ type: "drop", files });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what is dropped can be chosen with the buttons inside it too
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer) void droppedFiles(event.dataTransfer).then(send);
      }}
    >
      <p>{open.drop}</p>
      <p class="note">{open.dropHint}</p>
      <label class="button">
        {open.chooseFiles}
        <input type="file" multiple onChange={(event) => send(filesOf(event.currentTarget.files))} />
      </label>{" "}
      <label class="button">
        {open.chooseFolder}
        <input
          type="file"
          multiple
          ref={(input) => {
            // Not in Preact's types.
            if (input) input.webkitdirectory = true;
          }}
          onChange={(event) => send(filesOf(event.currentTarget.files))}
        />
      </label>
    </div>
  );
}

function TextsToRead({ view }: { view: ExplorerView }) {
  const [own, setOwn] = useState("");
  const [tokens, setTokens] = useState(8192);
  const { offered, model } = view.state.value!;
  const { open } = strings;
  return (
    <section aria-label={open.text}>
      <h3>{open.text}</h3>
      <p class="note">{model === null ? strings.openFirst : open.textHint}</p>
      <label class="field">
        {open.tokens}
        <input
          type="number"
          min="16"
          max="200000"
          value={tokens}
          onInput={(event) => setTokens(Number(event.currentTarget.value))}
        />
      </label>
      {offered.texts.map((name) => (
        <p key={name}>
          <button
            type="button"
            onClick={() => view.send({ type: "open-text", text: { kind: "offered", name }, tokens })}
          >
            {open.readOwn}
          </button>{" "}
          {name}
        </p>
      ))}
      <label class="field">
        {open.own}
        <textarea rows={5} value={own} onInput={(event) => setOwn(event.currentTarget.value)} />
      </label>
      <button
        type="button"
        disabled={own.trim() === ""}
        onClick={() => view.send({ type: "open-text", text: { kind: "own", text: own }, tokens })}
      >
        {open.readOwn}
      </button>
    </section>
  );
}
