import type { Method, SolvedGroup, TokenGroup } from "./solution.js";
import { type SolveOptions, type Subject, solveEdits } from "./solve-edits.js";

/** One edit solved alone on the fitting text, by one method at one size; nothing is written. */
export interface Trial {
  readonly method: Method;
  /** lambda, where it was chosen. */
  readonly size: number | undefined;
  readonly solved: SolvedGroup;
  /** Wanted and actual scale of the mean probability on the fitting text. */
  readonly wantedScale: number;
  readonly actualScale: number;
}

/** Each group solved alone by each method, groups in the outer loop. */
export async function compareMethods(
  subject: Subject,
  groups: readonly TokenGroup[],
  methods: readonly Method[],
  options: Omit<SolveOptions, "method"> = {},
): Promise<Trial[]> {
  return trials(
    subject,
    groups,
    methods.map((method) => ({ ...options, method })),
  );
}

/** Each group solved alone with each lambda, groups in the outer loop: faithfulness against size. */
export async function sweepSizes(
  subject: Subject,
  groups: readonly TokenGroup[],
  sizes: readonly number[],
  options: Omit<SolveOptions, "size"> = {},
): Promise<Trial[]> {
  return trials(
    subject,
    groups,
    sizes.map((size) => ({ ...options, size })),
  );
}

async function trials(
  subject: Subject,
  groups: readonly TokenGroup[],
  variants: readonly SolveOptions[],
): Promise<Trial[]> {
  const found: Trial[] = [];
  for (const group of groups) {
    for (const variant of variants) {
      variant.signal?.throwIfAborted();
      const { method, groups: solved } = await solveEdits(subject, [group], variant);
      const [only] = solved;
      const { before, wanted, after } = only!.probability;
      found.push({
        method,
        size: variant.size,
        solved: only!,
        wantedScale: wanted / before,
        actualScale: after / before,
      });
    }
  }
  return found;
}
