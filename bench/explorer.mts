/** How long the explorer takes to answer a slider on the embedded model, in Node: `npx tsx bench/explorer.mts`. */
import { createExplorer } from "../src/explore/explorer.js";
import { nodeHost } from "../src/node/explore/host.js";

const positions = 300;

const explorer = createExplorer(nodeHost());
const answered: number[] = [];
let resolve = () => {};
explorer.subscribe((message) => {
  if (message.type !== "figure" || (message.name !== "live" && message.name !== "shrink-live")) return;
  if (message.figure !== null) resolve();
});
explorer.send({ type: "open-model", model: { kind: "embedded" } });
explorer.send({ type: "open-text", text: { kind: "offered", name: "books" } });
explorer.send({ type: "add-edit", selector: " the" });
explorer.send({ type: "go", room: "shrink" });
await explorer.settled();

const median = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.floor(share * values.length)]!.toFixed(2);

for (const kind of ["slide", "slide-shrink"] as const) {
  answered.length = 0;
  for (let sequence = 0; sequence < positions; sequence++) {
    const started = performance.now();
    const done = new Promise<void>((ready) => {
      resolve = ready;
    });
    if (kind === "slide")
      explorer.send({ type: kind, edit: 0, position: 10 ** (3 * Math.sin(sequence / 20)), sequence });
    else explorer.send({ type: kind, size: { kept: 1 + ((sequence * 37) % 255), rescore: 0 }, sequence });
    await done;
    answered.push(performance.now() - started);
  }
  const later = answered.slice(5);
  console.log(
    `${kind}: median ${median(later, 0.5)} ms, 95th percentile ${median(later, 0.95)} ms, ${later.length} positions`,
  );
}
await explorer.close();
