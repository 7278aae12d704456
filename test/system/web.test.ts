import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  analyze,
  corpus,
  loadModel,
  meanProbability,
  measureHead,
  planEdits,
  planReduction,
  reduceHead,
  spreadHead,
  steer,
  storeText,
} from "../../src/index.js";
import { browserPath, QUIET_BROWSER } from "../support/browser.js";
import { type HubServer, startHubServer } from "../support/hub-server.js";
import { type PageServer, servePages } from "../support/page-server.js";
import { smallBooks } from "../support/small-books.js";

const imports = { "unembedding/web": "/unembedding/unembedding.js" };
const page = (script: string) =>
  `<!doctype html><title>unembedding</title><script type="importmap">${JSON.stringify({ imports })}</script>${script}`;

/** The examples of docs/library.md for browsers, as a module that says when it is through. */
const examples = [...readFileSync("docs/library.md", "utf8").matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, code]) => code!,
);

/** As much of the library as the tests call in the page. */
type Library = typeof import("../../src/web/index.js");

declare global {
  var lib: Library;
}

describe.skipIf(browserPath === undefined)("the library in a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "unembed-web-"));
  const books = join(folder, "assets/tiny-books");
  let browser: Browser;
  let hub: HubServer;
  let server: PageServer;

  beforeAll(async () => {
    await smallBooks(books, 2304, 144);
    hub = await startHubServer();
    await hub.add("someone/tiny-books", "main", books);
    const module = (code: string) =>
      page(`<script type="module">globalThis.mirror = ${JSON.stringify(hub.endpoint)};</script>
        <script type="module">${code}; document.title = "done";</script>`);
    server = await servePages(
      {
        unembedding: "dist/web",
        assets: "assets",
        small: join(folder, "assets/tiny-books"),
        bundle: join(folder, "bundle"),
      },
      {
        "/": page(`<script type="module">import * as lib from "unembedding/web"; globalThis.lib = lib;</script>`),
        ...Object.fromEntries(examples.map((code, i) => [`/example-${i}`, module(code)])),
        "/bundled": page(`<script type="module" src="/bundle/app.js"></script>`),
      },
    );
    browser = await chromium.launch({ executablePath: browserPath!, args: QUIET_BROWSER });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await hub?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page of a browser profile of its own, with the library in `lib`. */
  async function open(): Promise<Page> {
    const opened = await (await browser.newContext()).newPage();
    opened.setDefaultTimeout(120_000);
    await opened.goto(server.address);
    await opened.waitForFunction("globalThis.lib");
    return opened;
  }

  test.each(examples.map((_, i) => i))("example %i of docs/library.md runs as it stands", async (i) => {
    const opened = await (await browser.newContext()).newPage();
    const errors: string[] = [];
    opened.on("pageerror", (error) => errors.push(error.message));
    await opened.goto(`${server.address}/example-${i}`);
    await expect
      .poll(async () => errors.length > 0 || (await opened.title()) === "done", { timeout: 120_000 })
      .toBe(true);
    expect(errors).toEqual([]);
  });

  test("there are examples", () => {
    expect(examples.length).toBe(2);
  });

  test("R2, mean probabilities, edits and KL are those of Node", async () => {
    const how = { tokens: 2000, contextLength: 128 };
    const model = await loadModel(books);
    const path = "assets/corpus/books-heldout.txt";
    const input = corpus(path);
    const analysis = await analyze(model, input, how);
    const { change, solution } = await steer(model, await planEdits(model, { " the": 0.5, " sea": 3 }), {
      corpus: input,
      tokens: 600,
      probes: 50,
    });
    const kept = await storeText(model, input, { tokens: 600 });
    const reduced = await spreadHead(model, reduceHead(model, await planReduction(model, kept, { kept: 72 })));
    const measured = await measureHead(model, reduced, kept);
    await model.close();

    const found = await (await open()).evaluate(
      async ([how, address]) => {
        const { lib } = globalThis;
        const model = await lib.loadModel(new URL("/small/", location.href));
        const input = lib.corpus(new URL(address, location.href));
        const analysis = await lib.analyze(model, input, how);
        const plan = await lib.planEdits(model, { " the": 0.5, " sea": 3 });
        const { change, solution } = await lib.steer(model, plan, { corpus: input, tokens: 600, probes: 50 });
        const kept = await lib.storeText(model, input, { tokens: 600 });
        const reduced = lib.reduceHead(model, await lib.planReduction(model, kept, { kept: 72 }));
        const measured = await lib.measureHead(model, await lib.spreadHead(model, reduced), kept);
        await model.close();
        return {
          r2: analysis.encoding.r2,
          mean: [...lib.meanProbability(analysis.statistics)],
          ids: [...change.rows!.ids],
          rows: [...change.rows!.values],
          after: solution.groups.map(({ probability }) => probability.after),
          kl: measured.kl.mean,
        };
      },
      [how, `/${path}`] as const,
    );
    const mean = [...meanProbability(analysis.statistics)];
    expect(Math.abs(found.r2 - analysis.encoding.r2)).toBeLessThan(1e-6);
    expect(largest(mean.map((alpha, id) => found.mean[id]! / alpha - 1))).toBeLessThan(1e-6);
    expect(found.ids).toEqual([...change.rows!.ids]);
    expect(found.rows.length).toBe(change.rows!.values.length);
    const after = solution.groups.map(({ probability }) => probability.after);
    expect(largest(after.map((share, i) => found.after[i]! / share - 1))).toBeLessThan(1e-6);
    // Rows are rounded to float16 so that they reach the target: last digits may fall otherwise.
    const values = [...change.rows!.values];
    const moved = largest(values.map((value, i) => found.rows[i]! - value));
    expect(moved).toBeLessThan(largest(values) * 2 ** -10);
    expect(Math.abs(found.kl - measured.kl.mean)).toBeLessThan(1e-6);
  });

  const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  test("a bundle of another maker runs with the workers beside it", async () => {
    const outdir = join(folder, "bundle");
    await build({
      stdin: {
        contents: `import { loadModel } from "unembedding/web";
          loadModel(new URL("/small/", location.href)).then((model) => { document.title = String(model.vocabSize); });`,
        resolveDir: process.cwd(),
      },
      bundle: true,
      format: "esm",
      outfile: join(outdir, "app.js"),
    });
    expect(readFileSync(join(outdir, "app.js")).length).toBeLessThan(2_500_000);
    const opened = await (await browser.newContext()).newPage();
    await opened.goto(`${server.address}/bundled`);
    await expect.poll(() => opened.title(), { timeout: 60_000 }).toBe("2304");
  });

  test("files that were dropped are opened, and a corrupted one is refused by name", async () => {
    const names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    const opened = await open();
    const answers = await opened.evaluate(async (names) => {
      const { lib } = globalThis;
      const fetched = await Promise.all(
        names.map(async (name) => new File([await (await fetch(`/small/${name}`)).blob()], name)),
      );
      const model = await lib.loadModel(fetched);
      const { hidden } = await model.forward([1, 2, 3]);
      await model.close();
      const weights = fetched[1]!;
      const cut = fetched.with(1, new File([weights.slice(0, weights.size - 1000)], weights.name));
      const problem = await lib.loadModel(cut).catch((error: Error) => error.message);
      const none = await lib.loadModel([]).catch((error: Error) => error.message);
      return { numbers: hidden.length, problem, none };
    }, names);
    expect(answers.numbers).toBe(3 * 144);
    expect(answers.problem).toMatch(/model\.safetensors: .+/);
    expect(answers.none).toBe("dropped files: there are none");
  });

  test("a folder handle is opened as the folder that it is", async () => {
    const size = await (await open()).evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      for (const name of ["config.json", "model.safetensors", "tokenizer.json"]) {
        const writable = await (await root.getFileHandle(name, { create: true })).createWritable();
        await writable.write(await (await fetch(`/small/${name}`)).blob());
        await writable.close();
      }
      const model = await globalThis.lib.loadModel(root);
      await model.close();
      return model.vocabSize;
    });
    expect(size).toBe(2304);
  });

  test("what the hub sent is kept: a lost connection is gone on from, and nothing is fetched twice", async () => {
    const opened = await open();
    const load = (repository: string) =>
      opened.evaluate(
        async ([endpoint, repository]) => {
          const { lib } = globalThis;
          const before = await lib.downloadSize(repository, { endpoint });
          const progress: number[] = [];
          const onProgress = ({ received, total }: { received: number; total: number }) => {
            progress.push(received / total);
          };
          const model = await lib.loadModel(repository, { endpoint, onProgress });
          await model.close();
          return { before, last: progress.at(-1), after: await lib.downloadSize(repository, { endpoint }) };
        },
        [hub.endpoint, repository] as const,
      );
    hub.faults.push({ at: "cdn", cutAfter: 100_000 });
    const stored = () => hub.requests.filter(({ at }) => at === "cdn").length;
    const before = stored();
    const first = await load("someone/tiny-books");
    expect(first.before.kept).toBe(0);
    expect(first.last).toBe(1);
    expect(first.after.kept).toBe(first.before.total);
    expect(stored()).toBe(before + 2);
    // A hub that is away is not missed by what is kept.
    hub.faults.push({ at: "hub", status: 503, times: 2 });
    expect((await load("someone/tiny-books")).last).toBe(1);
    expect(stored()).toBe(before + 2);
    hub.faults.splice(0);
  });

  test("what cannot be opened is one clear sentence: a wrong name, no network, no room, too large a model", async () => {
    const opened = await open();
    const problem = (source: string, endpoint = hub.endpoint) =>
      opened.evaluate(
        ([source, endpoint]) =>
          globalThis.lib.loadModel(source, { endpoint }).then(
            () => "",
            (error: Error) => error.message,
          ),
        [source, endpoint] as const,
      );
    expect(await problem("someone/nothing")).toMatch(/^someone\/nothing: .*(?:not|no) /);
    const config = JSON.stringify({ model_type: "gpt2" });
    await hub.add("someone/large", "main", { "config.json": config, "model.safetensors": "small" });
    expect(await problem("someone/large")).toMatch(/model\.safetensors/);

    const session = await opened.context().newCDPSession(opened);
    await session.send("Storage.overrideQuotaForOrigin", { origin: server.address, quotaSize: 10_000 });
    expect(await problem("someone/tiny-books")).toMatch(/^someone\/tiny-books.*(?:gives this site|no room)/);
    await session.send("Storage.overrideQuotaForOrigin", { origin: server.address });
  });
});
