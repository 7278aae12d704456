import { selfTest } from "./self-test.js";

// Tests a device in a process of its own, since a driver that fails may take the process along, and what drivers print is
// not for who uses unembed. The question comes as the one argument, the answer goes to standard output; both are JSON.
try {
  console.log(JSON.stringify(await selfTest(JSON.parse(process.argv[2]!))));
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
}
// Not by running out of work: a card's library may keep threads of its own.
process.exit(0);
