import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { globSync } from "tinyglobby";
import { expect, test } from "vitest";

const pages = [
  "README.md",
  "CHANGELOG.md",
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
  ...["corpus", "tiny-books", "tiny-books-neox"].map((name) => join("assets", name, "README.md")),
];

/** A page without what is code: fenced, indented or between backquotes. */
const prose = (page: string) =>
  readFileSync(page, "utf8")
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/^ {4}.*$/gm, "")
    .replace(/`[^`\n]*`/g, "code");

/** Links to files and headings of this repository: what is before # resolved from the root, and what is after it. */
function links(page: string): { target: string; heading: string | undefined; written: string }[] {
  return [...prose(page).matchAll(/!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*\ssrc="([^"]+)"/g)]
    .map((match) => match[1] ?? match[2]!)
    .filter((written) => !/^[a-z]+:/.test(written))
    .map((written) => {
      const [file, heading] = written.split("#");
      return { target: file === "" ? page : join(dirname(page), file!), heading, written };
    });
}

/** Names of a page's headings, as GitHub makes them. */
const headings = (page: string) =>
  [...readFileSync(page, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test("every relative link of README, docs and model cards leads to a file, and to a heading where it names one", () => {
  const dead = pages.flatMap((page) =>
    links(page)
      .filter(({ target, heading }) => !existsSync(target) || (heading && !headings(target).includes(heading)))
      .map(({ written }) => `${page}: ${written}`),
  );
  expect(pages.flatMap(links).length).toBeGreaterThan(30);
  expect(dead).toEqual([]);
});

test("every page of docs/ is named in README", () => {
  const named = new Set(links("README.md").map(({ target }) => target));
  expect(pages.filter((page) => page.startsWith("docs") && !named.has(page))).toEqual([]);
});

test("the tarball holds these pages and every file that they link to", () => {
  const { files } = JSON.parse(readFileSync("package.json", "utf8")) as { files: string[] };
  const packed = new Set(globSync(files, { expandDirectories: true }));
  const wanted = new Set([...pages, ...pages.flatMap((page) => links(page).map(({ target }) => target))]);
  expect([...wanted].filter((file) => !packed.has(file))).toEqual([]);
});
