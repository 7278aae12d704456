import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Queue } from "bullmq";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../src/linalg/random.js";
import { unembed } from "../support/command.js";
import { type RedisServer, redisPath, startRedis } from "../support/redis-server.js";
import { smallBooks } from "../support/small-books.js";

const password = "not-to-be-seen";
const parts = 12;

/** A command in a process of its own. */
interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string }>;
  /** All that it has printed so far. */
  output(): string;
  /** Until it has printed this. */
  says(text: string | RegExp): Promise<void>;
}

describe.skipIf(redisPath === undefined)("parts by a queue", () => {
  let place: string;
  let model: string;
  let redis: RedisServer;
  const running = new Set<ChildProcess>();
  const at = (name: string) => join(place, name);

  function start(...args: string[]): Running {
    const child = spawn(process.execPath, ["bin/unembed.js", ...args], { stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let printed = "";
    const listeners = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream!.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        for (const listener of listeners) listener();
      });
    }
    const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
      child.on("close", (code) => {
        running.delete(child);
        for (const listener of listeners) listener();
        resolve({ code, output: printed });
      });
    });
    return {
      child,
      ended,
      output: () => printed,
      says: (text) =>
        new Promise((resolve, reject) => {
          const look = () => {
            if (printed.match(text)) resolve();
            else if (child.exitCode !== null) reject(new Error(`ended without ${text}: ${printed}`));
          };
          listeners.add(look);
          look();
        }),
    };
  }

  const worker = (...more: string[]) =>
    start("worker", "--queue", redis.url, "--allow", place, "--threads", "1", "--stalled", "1", ...more);
  const coordinator = (run: string, ...more: string[]) =>
    start(
      ...["analyze", model, "--corpus", at("tokens"), "--queue", redis.url, "--parts", at(`parts-${run}`)],
      ...["--split", `${parts}`, "--out", at(run), ...more],
    );

  async function expectSameAs(run: string): Promise<void> {
    for (const file of ["tensors.safetensors", "tokens.csv"]) {
      expect((await readFile(at(`${run}/${file}`))).equals(await readFile(at(`whole/${file}`)))).toBe(true);
    }
    const [one, other] = await Promise.all(
      ["whole", run].map(async (name) => JSON.parse(await readFile(at(`${name}/run.json`), "utf8"))),
    );
    expect({ ...other, asked: 0, made: 0 }).toEqual({ ...one, asked: 0, made: 0 });
  }

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "unembed-queue-"));
    model = await smallBooks(at("model"));
    redis = await startRedis(password);
    const text = ["--corpus", "assets/corpus/books-heldout.txt", "--tokens", "24000", "--context", "16"];
    await unembed(["tokenize", model, ...text, "--out", at("tokens"), "--quiet"]);
    await unembed(["analyze", model, "--corpus", at("tokens"), "--out", at("whole"), "--quiet"]);
  });
  afterEach(() => {
    for (const child of running) child.kill("SIGKILL");
  });
  afterAll(async () => {
    await redis?.stop();
    await rm(place, { recursive: true, force: true });
  });

  test("workers that come and go, are killed, and a queue that is killed too: the bits of one machine", async () => {
    const random = seededRandom(7);
    const wait = (least: number, most: number) =>
      new Promise((resolve) => setTimeout(resolve, least + random() * (most - least)));
    const run = coordinator("killed");
    const workers = [worker(), worker("--concurrency", "2")];
    await run.says(/[1-9]\d* of 12 parts/);
    workers[0]!.child.kill("SIGKILL");
    workers.push(worker());
    await wait(0, 300);
    await redis.restart(300);
    await wait(0, 300);
    workers[1]!.child.kill("SIGKILL");
    const { code, output } = await run.ended;
    expect([code, output.includes(password)]).toEqual([0, false]);
    await expectSameAs("killed");
    expect(await readFile(at("killed/run.json"), "utf8")).not.toContain(password);
    // A worker gives back what it is at when it is stopped, and says so.
    workers[2]!.child.kill("SIGINT");
    expect(await workers[2]!.ended).toMatchObject({ code: 130 });
  });

  test("a coordinator that is killed goes on when it is started again, and two wait for the same parts", async () => {
    const first = coordinator("again");
    const one = worker();
    await first.says(/[1-9]\d* of 12 parts/);
    first.child.kill("SIGKILL");
    await first.ended;
    const done = await readdir(at("parts-again"));
    const cut = at(`parts-again/${done.find((name) => name.startsWith("part-"))}`);
    await truncate(cut, 1000);
    const again = coordinator("again");
    const beside = coordinator("beside", "--parts", at("parts-again"));
    const ends = await Promise.all([again.ended, beside.ended]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    await expectSameAs("again");
    await expectSameAs("beside");
    one.child.kill("SIGTERM");
    await one.ended;
    const left = new Queue("unembed-parts", { connection: { port: redis.port, password } });
    expect(await left.getJobCounts("waiting", "active", "delayed", "failed")).toMatchObject({ waiting: 0, active: 0 });
    await left.close();
  });

  test("a worker opens and writes nothing that it was not allowed, and takes no job that is not one", async () => {
    const elsewhere = start("worker", "--queue", redis.url, "--allow", at("model"), "--threads", "1");
    const run = coordinator("refused");
    const { code, output } = await run.ended;
    expect(code).toBe(1);
    expect(output).toMatch(
      /unembed: part \d+: cannot be computed: .*tokens: is named by a job and not allowed here: start the worker with --allow\n$/,
    );
    expect(await readdir(at("parts-refused"))).toEqual([]);
    const queue = new Queue("unembed-parts", { connection: { port: redis.port, password } });
    await queue.obliterate({ force: true });
    for (const data of [{}, { kind: "part", model: "/etc/passwd" }, "x", { kind: "eval", code: "1" }]) {
      await queue.add("part", data, { attempts: 1 });
    }
    await elsewhere.says(/job \S+: field "\w*" cannot be used/);
    await expect.poll(async () => (await queue.getJobCounts("failed")).failed, { timeout: 8000 }).toBe(4);
    expect(elsewhere.child.exitCode).toBe(null);
    await queue.obliterate({ force: true });
    await queue.close();
  });

  test("what cannot be reached or used is said in one line without the password", async () => {
    const cases: [string[], RegExp][] = [
      [
        ["--queue", `redis://:${password}@127.0.0.1:1`],
        /--queue: redis:\/\/127\.0\.0\.1:1 cannot be used: nothing listens there/,
      ],
      [["--queue", redis.url.replace(password, "wrong-secret")], /cannot be used: WRONGPASS/],
      [["--queue", `http://:${password}@host`], /--queue: is no address of a server/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await unembed(["worker", ...args]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
      expect(stderr).not.toMatch(/not-to-be-seen|wrong-secret/);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});
