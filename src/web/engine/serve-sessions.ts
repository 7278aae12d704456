import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-web";
import type { Tensors } from "../../engine/engine.js";
import type { SessionRequest, WorkerReply } from "../../engine/worker-pool.js";

/** What a page asks of its engine's workers. Each weight is a file of its own, which onnxruntime copies. */
export type PageRequest = { id: number } & PageQuestion;
export type PageQuestion =
  | SessionRequest
  | { session: number; kind: "load"; graph: Uint8Array; weights: readonly { path: string; data: Uint8Array }[] };

/** The part of onnxruntime-web that is used; its builds have it in common. */
interface Runtime {
  readonly InferenceSession: { create(graph: Uint8Array, options: InferenceSession.SessionOptions): Promise<Session> };
  readonly Tensor: new (type: Tensor.Type, data: Tensor.DataType, dims: readonly number[]) => TypedTensor<Tensor.Type>;
}
type Session = Pick<InferenceSession, "run" | "release">;

/** Answers the page's requests one after the other: neither build computes two runs at once. */
export function serveSessions({ InferenceSession, Tensor }: Runtime, executionProviders: readonly string[]): void {
  const sessions = new Map<number, Session>();

  async function answer(request: PageRequest): Promise<Record<string, Tensors[string]>> {
    if (request.kind === "load") {
      const { graph, weights } = request;
      const session = await InferenceSession.create(graph, {
        executionProviders,
        externalData: weights,
        // Kept between runs, it would hold every V-wide block twice.
        enableMemPattern: false,
        logSeverityLevel: 3,
      });
      sessions.set(request.session, session);
      return {};
    }
    const session = sessions.get(request.session);
    if (session === undefined) throw new Error(`no session ${request.session}`);
    if (request.kind === "release") {
      sessions.delete(request.session);
      await session.release();
      return {};
    }
    const feeds = Object.entries(request.feeds).map(([name, { type, data, dims }]) => [
      name,
      new Tensor(type, data, dims),
    ]);
    const results = Object.entries(await session.run(Object.fromEntries(feeds)));
    return Object.fromEntries(
      results.map(([name, { type, data, dims }]) => [name, { type, data, dims } as Tensors[string]]),
    );
  }

  let turn: Promise<void> = Promise.resolve();
  self.addEventListener("message", ({ data: request }: MessageEvent<PageRequest>) => {
    turn = turn.then(async () => {
      try {
        const outputs = await answer(request);
        const transfer = Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer);
        self.postMessage({ id: request.id, outputs } satisfies WorkerReply, { transfer });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        self.postMessage({ id: request.id, error: message } satisfies WorkerReply);
      }
    });
  });
}
