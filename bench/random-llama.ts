import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Sizes of a Llama-style model. */
export interface LlamaSizes {
  readonly d: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocab: number;
}

/** Different random numbers; tensors begin at different places of them. */
const distinct = 2 ** 22 + 7;

/**
 * Writes a Llama-style checkpoint with random bfloat16 weights, without a tokenizer.
 * @returns how many parameters it has
 */
export async function writeRandomLlama(folder: string, { d, inner, layers, heads, vocab }: LlamaSizes) {
  const layer = (i: number): [string, number[]][] =>
    [
      [`input_layernorm`, [d]],
      ...["q", "k", "v", "o"].map((part): [string, number[]] => [`self_attn.${part}_proj`, [d, d]]),
      ["post_attention_layernorm", [d]],
      ["mlp.gate_proj", [inner, d]],
      ["mlp.up_proj", [inner, d]],
      ["mlp.down_proj", [d, inner]],
    ].map(([name, shape]) => [`model.layers.${i}.${name as string}.weight`, shape as number[]]);
  const tensors: [string, number[]][] = [
    ["model.embed_tokens.weight", [vocab, d]],
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    ["model.norm.weight", [d]],
    ["lm_head.weight", [vocab, d]],
  ];
  let end = 0;
  const entries = tensors.map(([name, shape]) => {
    const begin = end;
    end += 2 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: "BF16", shape, data_offsets: [begin, end] }] as const;
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const file = await open(join(folder, "model.safetensors"), "w");
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(header.length), true);
  await file.write(new Uint8Array(length.buffer));
  await file.write(header);
  const numbers = normals(distinct);
  const ones = toBfloat16(new Float32Array(d).fill(1));
  let at = 0;
  for (const [name, shape] of tensors) {
    if (shape.length === 1) {
      await file.write(new Uint8Array(ones.buffer));
      continue;
    }
    // Of size 1 / sqrt(inputs), so that hidden states keep their size through the layers; logits spread by 2 or so.
    const scale = (name === "lm_head.weight" ? 2 : 1) / Math.sqrt(shape[1]!);
    const table = toBfloat16(numbers.map((x) => x * scale));
    for (let left = shape[0]! * shape[1]!; left > 0; ) {
      const part = table.subarray(at, Math.min(table.length, at + left));
      await file.write(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      left -= part.length;
      at = (at + part.length) % table.length;
    }
  }
  await file.close();
  await writeFile(
    join(folder, "config.json"),
    JSON.stringify({
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      hidden_size: d,
      intermediate_size: inner,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: heads,
      vocab_size: vocab,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      hidden_act: "silu",
      tie_word_embeddings: false,
      torch_dtype: "bfloat16",
    }),
  );
  return end / 2;
}

/** Random normal numbers (Box and Muller), the same each time. */
function normals(count: number): Float32Array {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** The upper halves, rounded to nearest. */
function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x) => (x + 0x7fff + ((x >>> 16) & 1)) >>> 16);
}
