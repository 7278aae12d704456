import { expect, test } from "vitest";
import { corpus } from "../node/corpus/corpus-files.js";
import { loadModel } from "../node/load-model.js";
import type { EditPlan } from "./plan/saved-plan.js";
import { steer } from "./steer.js";

test.each(["llama_gqa", "cohere"])("%s has no exact constant direction: its last norm has no bias", async (name) => {
  const model = await loadModel(`test/goldens/arch/${name}`, { threads: 1 });
  const plan: EditPlan = {
    ...{ schema: "unembed-edit-plan", schemaVersion: 1, vocabulary: { size: model.vocabSize, sha256: "" } },
    ...{ method: "constant", exact: true, lambda: 1e-4, calibrate: true },
    edits: [{ label: "id:3=x2", target: { scale: 2 }, tokens: [{ id: 3, text: "" }] }],
  };
  const text = corpus("assets/corpus/speeches.txt");
  await expect(steer(model, plan, { corpus: text })).rejects.toThrow(
    /^exact: .* does not end in a LayerNorm with a bias/,
  );
  await model.close();
});
