import type { Dynamics } from "../dynamics/dynamics.js";
import type { Provenance } from "./provenance-section.js";

export function renderDynamicsReport(_run: Dynamics, _provenance: Provenance = {}): string {
  return "<!doctype html>";
}
