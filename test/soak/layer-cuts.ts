import { readdirSync } from "node:fs";
import { openModel } from "../../src/model/model.js";
import { createEngine } from "../../src/node/engine/onnx-engine.js";
import { openFolder } from "../../src/node/files/file-source.js";
import { hiddenCutAt, relativeDifference } from "../support/layer-cuts.js";

/** Every golden cut behind every layer: hidden states are those of one piece. @returns how many cuts, and what is wrong */
export async function cutEverywhere(): Promise<{ cuts: number; worst: number; problems: string[] }> {
  const engine = createEngine({ threads: 1 });
  const problems: string[] = [];
  let [cuts, worst] = [0, 0];
  for (const set of ["arch", "flags"]) {
    for (const name of readdirSync(`test/goldens/${set}`)) {
      const model = await openModel(openFolder(`test/goldens/${set}/${name}`), engine, name);
      const length = Math.min(24, model.maxPositions ?? 24);
      const tokenIds = new Int32Array(2 * length).map((_, i) => (37 * i + 11) % model.vocabSize);
      const windows = { count: 2, length, tokenIds };
      const whole = await model.hiddenStates(windows);
      for (let cut = 1; cut < model.description.numLayers!; cut++, cuts++) {
        const difference = relativeDifference(await hiddenCutAt(model, windows, cut), whole);
        worst = Math.max(worst, difference);
        if (!(difference < 1e-6)) problems.push(`${set}/${name} cut behind ${cut} layers: ${difference}`);
      }
    }
  }
  await engine.close();
  return { cuts, worst, problems };
}
