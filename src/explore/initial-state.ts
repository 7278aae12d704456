import { defaultLambda } from "../steering/plan/method.js";
import type { Choices, Offered, State } from "./state.js";

export const initialChoices: Choices = {
  prompt: "It was the best of",
  edits: [],
  method: "nearest",
  lambda: defaultLambda,
  writing: { tokens: 60, seed: 0, temperature: 1, topK: null, topP: null },
  shrink: null,
  trim: null,
};

export function initialState(offered: Offered): State {
  return {
    room: "open",
    offered,
    dropped: [],
    model: null,
    text: null,
    download: null,
    tasks: [],
    problem: null,
    choices: initialChoices,
    edits: [],
    shrink: null,
    trim: null,
    series: null,
    comparison: null,
    token: null,
    kept: [],
    canUndo: false,
    canRedo: false,
    address: "",
    home: { available: [], command: null },
  };
}
