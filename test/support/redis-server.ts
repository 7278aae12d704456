import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Path of the redis-server or valkey-server on this machine. */
export const redisPath: string | undefined = ["redis-server", "valkey-server"]
  .map((name) => {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      return undefined;
    }
  })
  .find(Boolean);

/** A server of its own for a test: it writes every change to disk at once, so that a restart loses nothing. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** kill -9, and started again on the same files after so many milliseconds. */
  restart(downMilliseconds: number): Promise<void>;
  stop(): Promise<void>;
}

/** @param password that clients have to give */
export async function startRedis(password?: string): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "unembed-redis-"));
  const port = await freePort();
  const secret = password === undefined ? [] : ["--requirepass", password];
  let server: ChildProcess;
  const start = async () => {
    const files = ["--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", ""];
    server = spawn(redisPath!, ["--port", `${port}`, "--bind", "127.0.0.1", ...files, ...secret], { stdio: "ignore" });
    await listening(port);
  };
  const kill = () =>
    new Promise<void>((resolve) => {
      server.once("exit", () => resolve());
      server.kill("SIGKILL");
    });
  await start();
  return {
    url: `redis://${password === undefined ? "" : `:${password}@`}127.0.0.1:${port}`,
    port,
    async restart(downMilliseconds) {
      await kill();
      await new Promise((resolve) => setTimeout(resolve, downMilliseconds));
      await start();
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.end());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
