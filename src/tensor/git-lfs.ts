import { InputError } from "../errors.js";

/** How a pointer begins, and more than it ever is (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). */
const start = "version https://git-lfs.github.com/spec/";
export const maxPointerBytes = 1024;

/**
 * @param bytes a file's first ones  @param size of the whole file
 * @throws InputError if the file is what git holds in place of a large one, cloned without git-lfs
 */
export function refuseLfsPointer(place: string, bytes: Uint8Array, size: number): void {
  if (size > maxPointerBytes) return;
  const text = new TextDecoder().decode(bytes);
  if (!text.startsWith(start)) return;
  const meant = /^size (\d{1,16})$/m.exec(text)?.[1];
  const what = meant === undefined ? "the file" : `a file of ${meant} bytes`;
  throw new InputError(
    place,
    `is a git-lfs pointer that stands for ${what}: run "git lfs install" and "git lfs pull" where it was cloned`,
  );
}
