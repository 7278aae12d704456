/** The work is done and written, but not all that was asked for could be reached. */
export class TargetMissed extends Error {
  override readonly name = "TargetMissed";
  /** @param out the folder that was written */
  constructor(count: number, out: string) {
    super(
      `${count === 1 ? "a target was" : `${count} targets were`} missed; ${out} has the nearest that could be reached`,
    );
  }
}
