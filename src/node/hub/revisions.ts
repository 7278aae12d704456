import * as z from "zod";
import { InputError } from "../../errors.js";
import { type HubReference, referenceText } from "../../hub/reference.js";
import { statusError } from "../../hub/transfer/answer-status.js";
import { exchange, readAnswer } from "../../hub/transfer/exchange.js";
import { defaultRetryPolicy, withRetries } from "../../hub/transfer/retry.js";
import { parseStrictJson } from "../../tensor/strict-json.js";
import { readHubEnvironment } from "./environment.js";
import type { HubOptions } from "./repository.js";

const refsSchema = z.object({
  branches: z.array(z.object({ name: z.string() })),
  tags: z.array(z.object({ name: z.string() })),
});

/**
 * Names of the branches and tags of a repository, in the hub's order.
 * @throws InputError if it cannot be asked, such as offline
 */
export async function listRevisions(reference: HubReference, options: HubOptions = {}): Promise<string[]> {
  const { endpoint, token, offline } = options.environment ?? (await readHubEnvironment());
  const repository = { ...reference, revision: "main", path: "" };
  const place = referenceText(repository);
  if (offline) throw new InputError(place, "its revisions cannot be listed: HF_HUB_OFFLINE is set");
  const connection = { endpoint, token, retry: options.retry ?? defaultRetryPolicy, signal: options.signal };
  const address = `${endpoint}/api/${reference.type}s/${reference.name}/refs`;
  const bytes = await withRetries(place, connection.retry, connection.signal, async () => {
    const answer = await exchange(connection, place, address, { accept: "application/json" });
    if (answer.status === 200) return readAnswer(place, answer);
    throw statusError(connection, answer, { reference: repository, file: "" });
  });
  const refs = refsSchema.safeParse(parseStrictJson(place, "list of revisions", bytes));
  if (!refs.success) throw new InputError(place, `${endpoint} does not list revisions as the Hugging Face hub does`);
  return [...refs.data.branches, ...refs.data.tags].map(({ name }) => name);
}
