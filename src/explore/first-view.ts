import type { Action } from "./actions.js";

/** Token that has a slider when the embedded model is opened without being asked anything. */
const firstEdit = " the";

/** Opens the embedded model with a slider to begin with. @param text that it reads */
export function firstView(text: string | undefined): readonly Action[] {
  return [
    { type: "open-model", model: { kind: "embedded" } },
    ...(text === undefined ? [] : [{ type: "open-text", text: { kind: "offered", name: text } } as const]),
    { type: "go", room: "steer" },
    { type: "add-edit", selector: firstEdit, position: 1 },
  ];
}
