/**
 * The whole analysis by unembed and by the plain PyTorch + statsmodels way (bench/peer/analyze.py), and the machine's own
 * SGEMM rate through the engine, in one run on the same threads:
 *
 *     npx tsx bench/analyze.ts --python .venv/bin/python [--tokens 100000] [--threads 2]
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { tokenIds } from "../src/corpus/tokens/token-ids.js";
import { analyze } from "../src/encoding/analyze.js";
import { createGraph } from "../src/engine/graph.js";
import { corpus } from "../src/node/corpus/corpus-files.js";
import { createEngine } from "../src/node/engine/onnx-engine.js";
import { defaultCorpus, loadModel } from "../src/node/load-model.js";
import { type Measured, measured } from "./measured.js";

const { values: options } = parseArgs({
  options: {
    python: { type: "string" },
    tokens: { type: "string", default: "100000" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const tokens = Number(options.tokens);
const threads = Number(options.threads);
const folder = await mkdtemp(join(tmpdir(), "unembed-bench-"));

try {
  const sgemmBefore = await sgemmRate();
  const ours = await measured(process.execPath, [
    ...["bin/unembed.js", "analyze", "--tokens", `${tokens}`, "--threads", `${threads}`],
    ...["--out", join(folder, "run"), "--json", "--quiet"],
  ]);
  const tokenizing = await tokenizingSeconds();
  const products = await productRate();
  const peer = options.python
    ? await measured(options.python, [
        ...["bench/peer/analyze.py", "assets/tiny-books", defaultCorpus],
        ...["--tokens", `${tokens}`, "--threads", `${threads}`],
      ])
    : undefined;
  const sgemm = Math.max(sgemmBefore, await sgemmRate());

  const row = (name: string, ...cells: (string | number)[]) => console.log(`| ${[name, ...cells].join(" | ")} |`);
  const ratio = (a: number, b: number | undefined) => (b === undefined ? "" : `${(a / b).toFixed(2)}x`);
  row(`${tokens.toLocaleString("en")} tokens, ${threads} threads`, "unembed", "PyTorch + statsmodels", "ratio");
  row("---", "---", "---", "---");
  row(
    "tokens/s, steady state",
    ...pair(steady(ours), peer && steady(peer), 0),
    ratio(steady(ours), peer && steady(peer)),
  );
  row("seconds, end to end", ...pair(ours.seconds, peer?.seconds, 1), ratio(ours.seconds, peer?.seconds));
  row("peak memory, MB", ...pair(ours.megabytes, peer?.megabytes, 0), ratio(ours.megabytes, peer?.megabytes));
  row("R2", `${ours.result.r2}`, `${peer?.result.r2 ?? ""}`, "");
  row("tokenizing, seconds", tokenizing.toFixed(2), "", `${((100 * tokenizing) / ours.seconds).toFixed(1)}% of ours`);
  row("multiplications, GFLOPS", products.toFixed(0), `SGEMM ${sgemm.toFixed(0)}`, ratio(products, sgemm));
} finally {
  await rm(folder, { recursive: true });
}

function pair(ours: number, peer: number | undefined, digits: number): string[] {
  return [ours.toFixed(digits), peer?.toFixed(digits) ?? "not measured"];
}

function steady({ result }: Measured): number {
  return result.tokensPerSecond;
}

/** Reading and tokenizing the text alone, in a process that has not done so before. */
async function tokenizingSeconds(): Promise<number> {
  const model = await loadModel("tiny-books", { threads: 1 });
  const tokenizer = await model.tokenizer();
  const started = performance.now();
  let count = 0;
  for await (const ids of tokenIds(corpus(defaultCorpus), tokenizer, { vocabSize: model.vocabSize })) {
    count += ids.length;
    if (count >= tokens) break;
  }
  const seconds = (performance.now() - started) / 1000;
  await model.close();
  return seconds;
}

/** Best of several float32 products through the engine, GFLOPS: one shared by all threads, or one on each. */
async function sgemmRate(): Promise<number> {
  const [m, k, n] = [1024, 1024, 2048];
  const graph = createGraph("sgemm");
  const a = graph.input("a", "float32", ["m", k]);
  const weights = graph.constant(new Float32Array(k * n).fill(0.5), [k, n]);
  // Only the last column comes back: the product is measured, not the copy of its result.
  const last = graph.op("Slice", [
    graph.op("MatMul", [a, weights]),
    ...[n - 1, n, 1].map((i) => graph.constant(BigInt64Array.of(BigInt(i)))),
  ]);
  graph.output(last, "c", "float32", ["m", 1]);
  const feed = { a: { type: "float32" as const, data: new Float32Array(m * k).fill(1), dims: [m, k] } };
  let best = 0;
  for (const engines of [
    [createEngine({ threads })],
    Array.from({ length: threads }, () => createEngine({ threads: 1 })),
  ]) {
    const sessions = await Promise.all(engines.map((engine) => engine.load(graph)));
    const slots = sessions.flatMap((session) => Array.from({ length: session.concurrency }, () => session));
    for (let trial = 0; trial < 8; trial++) {
      const started = performance.now();
      await Promise.all(
        slots.map(async (session) => {
          for (let i = 0; i < 5; i++) await session.run(feed);
        }),
      );
      best = Math.max(best, (slots.length * 5 * 2 * m * k * n) / (performance.now() - started) / 1e6);
    }
    await Promise.all(engines.map((engine) => engine.close()));
  }
  return best;
}

/** GFLOPS of the matrix products of layers and head during an analysis, from onnxruntime's own profile. */
async function productRate(): Promise<number> {
  const model = await loadModel("tiny-books", { threads, profile: join(folder, "profile") });
  await analyze(model, corpus(defaultCorpus), { tokens: Math.min(tokens, 50_000) });
  await model.close();
  let microseconds = 0;
  let operations = 0;
  for (const name of await readdir(folder)) {
    if (!name.startsWith("profile")) continue;
    for (const event of JSON.parse(await readFile(join(folder, name), "utf8")) as ProfileEvent[]) {
      const { op_name: type, output_type_shape: out, input_type_shape: inputs } = event.args ?? {};
      if (
        event.cat !== "Node" ||
        !event.name.endsWith("_kernel_time") ||
        !/^(MatMul|Gemm|FusedMatMul)$/.test(type ?? "")
      )
        continue;
      const [rows, columns] = [inputs?.[0]?.float, out?.[0]?.float];
      if (rows === undefined || columns === undefined) continue;
      const count = rows.slice(0, -1).reduce((product, size) => product * size, 1);
      operations += 2 * count * rows.at(-1)! * columns.at(-1)!;
      microseconds += event.dur;
    }
  }
  // Each of the workers spends its own microseconds.
  return operations / (microseconds / threads) / 1e3;
}

interface ProfileEvent {
  cat: string;
  name: string;
  dur: number;
  args?: {
    op_name?: string;
    input_type_shape?: Record<string, number[]>[];
    output_type_shape?: Record<string, number[]>[];
  };
}
