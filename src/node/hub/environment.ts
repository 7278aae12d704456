import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../errors.js";

/** Where the hub is, who asks, and where what comes from it is kept. */
export interface HubEnvironment {
  /** Such as https://huggingface.co, without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint and to no other host. */
  readonly token: string | undefined;
  /** Shared with Python's huggingface_hub. */
  readonly cacheFolder: string;
  /** Where libraries keep what they derive from the hub's files, one folder a library. */
  readonly assetsFolder: string;
  /** Nothing is asked of the network. */
  readonly offline: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

const defaultEndpoint = "https://huggingface.co";

/**
 * The environment variables of Python's huggingface_hub, with its precedence. The JavaScript client reads some of them
 * too, but not the token's, and neither `~` nor `$NAME` inside them.
 * @throws InputError naming the variable that cannot be used
 */
export async function readHubEnvironment(variables: Variables = process.env): Promise<HubEnvironment> {
  const path = (names: readonly string[], byDefault: string) =>
    expand(names.map((name) => variables[name]).find(Boolean) ?? byDefault, variables);
  const home = path(["HF_HOME"], join(path(["XDG_CACHE_HOME"], join(homedir(), ".cache")), "huggingface"));
  return {
    endpoint: readEndpoint(variables.HF_ENDPOINT),
    token: await readToken(variables, path(["HF_TOKEN_PATH"], join(home, "token"))),
    cacheFolder: path(["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"], join(home, "hub")),
    assetsFolder: path(["HF_ASSETS_CACHE", "HUGGINGFACE_ASSETS_CACHE"], join(home, "assets")),
    offline: isTrue(variables.HF_HUB_OFFLINE || variables.TRANSFORMERS_OFFLINE),
  };
}

function readEndpoint(text = defaultEndpoint): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.search !== "") {
    throw new InputError("HF_ENDPOINT", `${JSON.stringify(text)} is not a web address such as ${defaultEndpoint}`);
  }
  return url.href.replace(/\/+$/, "");
}

async function readToken(variables: Variables, tokenFile: string): Promise<string | undefined> {
  if (isTrue(variables.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const given = (variables.HF_TOKEN || variables.HUGGING_FACE_HUB_TOKEN)?.trim();
  // A missing or unreadable file is no token, as in Python.
  const token = given || (await readFile(tokenFile, "utf8").catch(() => "")).trim();
  // What is not a visible ASCII character would break the header that the token is sent in.
  if (!/^[\x21-\x7e]{0,1000}$/.test(token)) {
    throw new InputError(
      given ? "HF_TOKEN" : tokenFile,
      "holds characters that no access token has: copy the token again",
    );
  }
  return token || undefined;
}

function isTrue(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes((value ?? "").toUpperCase());
}

/** `~` at the start and `$NAME` or `${NAME}` anywhere, as a shell would. */
function expand(path: string, variables: Variables): string {
  const absolute = path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
  return absolute.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (written, braced?: string, bare?: string) => variables[braced ?? bare ?? ""] ?? written,
  );
}
