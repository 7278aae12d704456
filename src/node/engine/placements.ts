import { mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

/** Where the operators of a graph ran, by their types: the ones that ran on the processor, and the others. */
export interface Placements {
  readonly processor: ReadonlyMap<string, number>;
  readonly device: ReadonlyMap<string, number>;
}

/** What is read of onnxruntime's profile, which has one event for each node that ran. */
const profileEvents = z.array(
  z.object({
    cat: z.string(),
    name: z.string(),
    args: z.object({ op_name: z.string(), provider: z.string() }).partial().optional(),
  }),
);

/** A profile of one run in a temporary folder. */
export interface RunProfile {
  /** What onnxruntime's file name begins with. */
  readonly prefix: string;
  /** Counts, and takes the folder away. */
  read(): Promise<Placements>;
}

/** A place for the profile of a session's first run. */
export async function runProfile(): Promise<RunProfile> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "unembed-profile-"));
  return {
    prefix: join(folder, "run"),
    async read() {
      try {
        const [file] = await readdir(folder);
        return file === undefined ? placementsOf([]) : placementsOf(await events(join(folder, file)));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function events(path: string): Promise<z.infer<typeof profileEvents>> {
  return profileEvents.parse(JSON.parse(await readFile(path, "utf8")));
}

function placementsOf(found: z.infer<typeof profileEvents>): Placements {
  const processor = new Map<string, number>();
  const device = new Map<string, number>();
  // A node inside a loop runs at each of its steps.
  const seen = new Set<string>();
  for (const { cat, name, args } of found) {
    if (cat !== "Node" || args?.op_name === undefined || args.provider === undefined || seen.has(name)) continue;
    seen.add(name);
    const counts = args.provider === "CPUExecutionProvider" ? processor : device;
    counts.set(args.op_name, (counts.get(args.op_name) ?? 0) + 1);
  }
  return { processor, device };
}

/** In words: "body: 212 operators on webgpu, 14 on the processor (Cast 8, Less 6)". */
export function placementLine(graph: string, device: string, { processor, device: own }: Placements): string {
  const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...processor].sort(([, a], [, b]) => b - a).map(([type, count]) => `${type} ${count}`);
  const left =
    parts.length === 0 ? "none on the processor" : `${total(processor)} on the processor (${parts.join(", ")})`;
  return `${graph}: ${total(own)} operators on ${device}, ${left}`;
}
