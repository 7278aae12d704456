import type { HeadStatistics } from "../../statistics/head-statistics.js";
import type { Concentration } from "../analysis.js";

/** The means over contexts that say whether a model is in the regime of the encoding (METHOD.md section 1). */
export function concentration(statistics: HeadStatistics): Concentration {
  const { contexts, sumLogitDeviation, sumEntropy, sumTopMass } = statistics;
  return {
    logitStandardDeviation: sumLogitDeviation / contexts,
    entropy: sumEntropy / contexts,
    topMass: {
      "1": sumTopMass["1"] / contexts,
      "10": sumTopMass["10"] / contexts,
      "100": sumTopMass["100"] / contexts,
    },
  };
}
