import type { Measure } from "../../dynamics/dynamics-page-data.js";

/** The reader's choices. */
export interface View {
  scale: "log" | "linear";
  measure: Measure;
}

export const measures: Record<Measure, string> = {
  pathShare: "share of the path walked",
  cosine: "cosine with the last checkpoint",
  relativeDistance: "relative distance to the last checkpoint",
  relativeDistanceToPrevious: "relative distance to the previous checkpoint",
};
