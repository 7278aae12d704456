import { InputError } from "../../errors.js";
import { type ByteSource, checkRange, type Folder } from "../../tensor/byte-source.js";
import { refuseLfsPointer } from "../../tensor/git-lfs.js";

/** A file that was dropped on a page or chosen by its user. */
export function fileSource(file: Blob, name: string): ByteSource {
  const source: ByteSource = {
    name,
    size: file.size,
    async read(offset, length) {
      checkRange(source, offset, length);
      try {
        return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
      } catch (error) {
        const problem = "can no longer be read: it was moved, deleted or changed since it was opened; open it again";
        throw new InputError(name, problem, { cause: error });
      }
    },
  };
  return source;
}

async function checkedSource(file: Blob, name: string): Promise<ByteSource> {
  const source = fileSource(file, name);
  const start = await source.read(0, Math.min(file.size, 64));
  refuseLfsPointer(name, start, file.size);
  return source;
}

/** Files of one model that were dropped, as its folder: where they came in folders, the one with config.json. */
export function droppedFolder(files: readonly File[]): Folder {
  const paths = new Map(files.map((file) => [file.webkitRelativePath || file.name, file]));
  const config = [...paths.keys()]
    .filter((path) => /(?:^|\/)config\.json$/.test(path))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];
  const root = config?.slice(0, -"config.json".length) ?? "";
  const name = root === "" ? "dropped files" : root.slice(0, -1);
  return {
    name,
    async open(fileName) {
      const file = paths.get(root + fileName);
      return file && checkedSource(file, `${name}/${fileName}`);
    },
  };
}

/** A folder that the user has given the page. */
export function handleFolder(handle: FileSystemDirectoryHandle): Folder {
  return {
    name: handle.name,
    async open(fileName) {
      const file = await fileInside(handle, fileName.split("/"));
      return file && checkedSource(file, `${handle.name}/${fileName}`);
    },
  };
}

async function fileInside(root: FileSystemDirectoryHandle, path: readonly string[]): Promise<File | undefined> {
  try {
    let folder = root;
    for (const part of path.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
    return await (await folder.getFileHandle(path.at(-1)!)).getFile();
  } catch (error) {
    const { name } = error as Error;
    if (name === "NotFoundError" || name === "TypeMismatchError") return undefined;
    throw new InputError(root.name, `cannot be read (${name}): give the page the folder again`, { cause: error });
  }
}
