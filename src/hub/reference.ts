import { InputError } from "../errors.js";
import { quote } from "../tensor/strict-json.js";

/** A repository of the hub at one of its revisions. */
export interface HubReference {
  readonly type: "model" | "dataset";
  /** `organisation/name`, or `name` alone for the oldest repositories. */
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** A file or folder inside the repository, "" for all of it. */
  readonly path: string;
}

const defaultRevision = "main";

const expected = "expected org/name, org/name@revision, hf://org/name or hf://datasets/org/name";

/** The hub's own limits on what it calls a name, and git's usual one on a path. */
const maxNameLength = 96;
const maxPathLength = 4096;

/**
 * `org/name`, `name`, either with `@revision`; `hf://[datasets/|models/]org/name[@revision][/path]`, where a revision
 * with a slash is one of the hub's own (`refs/pr/1`, `refs/convert/parquet`) or written with `%2F`.
 * @throws InputError
 */
export function parseHubReference(text: string): HubReference {
  const refuse = (problem: string) => new InputError(quote(text), problem);
  const reference = text.startsWith("hf://") ? parseAddress(text.slice("hf://".length)) : parseShort(text);
  if (reference === undefined) throw refuse(`is not a model or data set of the hub: ${expected}`);
  const { name, revision, path } = reference;
  if (!isRepositoryName(name)) throw refuse(`${quote(name)} is not the name of a repository: ${expected}`);
  if (!isRevision(revision)) throw refuse(`${quote(revision)} is not the name of a branch, tag or commit`);
  if (path !== "" && !isSafePath(path)) throw refuse(`${quote(path)} is not a path inside a repository`);
  return reference;
}

/** The shortest text that parses to the reference, without its path. */
export function referenceText({ type, name, revision }: HubReference): string {
  const at = revision === defaultRevision ? "" : `@${revision}`;
  return type === "model" ? `${name}${at}` : `hf://datasets/${name}${at.replace(/\//g, "%2F")}`;
}

/** Whether a file name from the hub or from an index leads to a file inside the folder that it is joined to. */
export function isSafePath(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (path.length > maxPathLength || /[\\:\x00-\x1f]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function parseShort(text: string): HubReference | undefined {
  const at = text.indexOf("@");
  const name = at === -1 ? text : text.slice(0, at);
  return { type: "model", name, revision: at === -1 ? defaultRevision : text.slice(at + 1), path: "" };
}

function parseAddress(body: string): HubReference | undefined {
  const kind = /^(models|datasets|spaces|kernels|buckets)(?:\/|$)/.exec(body)?.[1];
  if (kind !== undefined && kind !== "models" && kind !== "datasets") return undefined;
  const rest = kind === undefined ? body : body.slice(kind.length + 1);
  const [, name = "", revisionAndPath, path] = /^([^/@]*(?:\/[^/@]*)?)(?:@(.*)|\/(.*))?$/.exec(rest) ?? [];
  const type = kind === "datasets" ? "dataset" : "model";
  if (revisionAndPath === undefined) return { type, name, revision: defaultRevision, path: path ?? "" };
  const [, revision = "", inside = ""] =
    /^(refs\/(?:pr\/\d+|convert\/[\w.-]+)|[^/]*)(?:\/(.*))?$/.exec(revisionAndPath) ?? [];
  return { type, name, revision: revision.replace(/%2F/gi, "/"), path: inside };
}

/** The rules of Python's huggingface_hub. */
function isRepositoryName(name: string): boolean {
  const parts = name.split("/");
  return (
    parts.length <= 2 &&
    parts.every((part) => part.length <= maxNameLength && /^\w(?:[\w.-]*\w)?$/.test(part)) &&
    !name.includes("--") &&
    !name.includes("..") &&
    !name.endsWith(".git")
  );
}

/** The rules of git-check-ref-format, so that it is also a safe path below the cache's `refs`. */
function isRevision(revision: string): boolean {
  return (
    revision.length <= 255 &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    !/[\x00-\x20\x7f~^:?*[\\%#]|\.\.|@\{/.test(revision) &&
    revision.split("/").every((part) => part !== "" && !part.startsWith(".") && !/(?:\.lock|\.)$/.test(part))
  );
}
