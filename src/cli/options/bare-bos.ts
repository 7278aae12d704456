import { beginOfTextChoices } from "./common-options.js";

/** Arguments with `--bos` alone as `--bos=always`: what follows it, a model or a file, is no value of it. */
export function bareBos(args: readonly string[]): string[] {
  return args.map((arg, index) =>
    arg === "--bos" && !(beginOfTextChoices as readonly string[]).includes(args[index + 1] ?? "")
      ? "--bos=always"
      : arg,
  );
}
