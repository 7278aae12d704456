import { InputError } from "../../errors.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { boundBlocks } from "../../model/head/reduced-head.js";
import { type ByteSource, wholeFile } from "../../tensor/byte-source.js";
import { readSafetensorsHeader, readTensor } from "../../tensor/safetensors/safetensors.js";
import { safetensorsChunks } from "../../tensor/safetensors/write-safetensors.js";
import { parseStrictJson } from "../../tensor/strict-json.js";
import { planSchema, type ReductionPlan, type ReductionRecord, reduceHead } from "./reduction-plan.js";

/** The arrays lie in the other file. */
const maxPlanBytes = 2 ** 24;

/** Names of the two files that a plan is kept in. */
export const reductionPlanFiles = { plan: "reduction.json", arrays: "reduction.safetensors" } as const;

/** A plan as the contents of its two files. */
export function serializeReductionPlan(plan: ReductionPlan): { plan: string; arrays: Uint8Array[] } {
  const { arrays, ...fields } = plan;
  const { vocabSize: V, hiddenSize: d, kept: k } = plan;
  const shapes: Record<string, readonly number[]> = {
    factor: [V, k],
    bias: [V],
    projection: [k, d],
    ...boundShapes(plan),
  };
  const tensors = Object.entries(arrays).map(([name, data]) => ({
    name,
    dtype: "F32" as const,
    shape: shapes[name]!,
    data,
  }));
  return { plan: `${JSON.stringify(fields, undefined, 2)}\n`, arrays: safetensorsChunks(tensors) };
}

/**
 * A plan from its two files, checked against the model that it is to be used on.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function parseReductionPlan(
  plan: ByteSource,
  arrays: ByteSource,
  model: HeadModel,
): Promise<ReductionPlan> {
  const parsed = planSchema.safeParse(parseStrictJson(plan.name, "plan", await wholeFile(plan, maxPlanBytes)));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new InputError(plan.name, `field ${path.join(".") || "(all)"}: ${message}`);
  }
  const { vocabSize: V, hiddenSize: d, kept: k } = parsed.data;
  if (V !== model.vocabSize || d !== model.hiddenSize) {
    throw new InputError(
      plan.name,
      `field vocabSize: the plan is for a head of ${V} x ${d}; ${model.name} has ${model.vocabSize} x ${model.hiddenSize}`,
    );
  }
  const { tensors } = await readSafetensorsHeader(arrays);
  const read = async (name: string, shape: readonly number[]): Promise<Float32Array> => {
    const entry = tensors.get(name);
    if (entry === undefined) throw new InputError(arrays.name, `has no tensor "${name}"`);
    if (entry.dtype !== "F32" || entry.shape.join() !== shape.join()) {
      throw new InputError(
        arrays.name,
        `tensor "${name}" is ${entry.dtype} [${entry.shape.join(", ")}]; the plan needs F32 [${shape.join(", ")}]`,
      );
    }
    return readTensor(entry);
  };
  const values: Record<string, Float32Array> = {
    factor: await read("factor", [V, k]),
    bias: await read("bias", [V]),
    ...(parsed.data.coordinates ? {} : { projection: await read("projection", [k, d]) }),
    ...(parsed.data.greedyExact ? await readBound() : {}),
  };
  const whole = { ...parsed.data, arrays: values };
  reduceHead(model, whole, plan.name);
  return whole;

  async function readBound(): Promise<Record<string, Float32Array>> {
    const shapes = Object.entries(boundShapes(parsed.data!));
    return Object.fromEntries(await Promise.all(shapes.map(async ([name, shape]) => [name, await read(name, shape)])));
  }
}

/** Of the arrays with `greedyExact`. */
function boundShapes({ vocabSize: V, hiddenSize: d, kept: k }: ReductionRecord) {
  return { reader: [d - k, d], centre: [d - k], reach: [V, boundBlocks], slack: [2] };
}
