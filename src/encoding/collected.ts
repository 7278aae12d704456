import type { HeadStatistics } from "../statistics/head-statistics.js";
import type { AnalyzedText } from "./analysis.js";

/** Result of a pass over a text. */
export interface Collected {
  statistics: HeadStatistics;
  text: AnalyzedText;
  /** Wall time of the pass, and how fast it was. */
  pass: { seconds: number; tokensPerSecond: number };
}
