/* How numbers are written: as in the reports. */
export { divergenceText } from "../report/page/divergence-text.js";
export { bytes, count, decimal, percent, probability, significant, times } from "../report/page/numbers.js";
