/** `npm run test:power -- [--states N] [--seed TEXT] [--keep DIRECTORY] [SCENARIO…]`: docs/durability.md says what it proves. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { RigError } from "./errors.ts";
import { missing, runInside, scratchInside } from "./own-namespace.ts";

const usage =
  "usage: npm run test:power -- [--states N] [--seed TEXT] [--keep DIRECTORY] [queue] [ota] [config] [self-update] [take-over]";

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parseCommandLine>;
  try {
    parsed = parseCommandLine();
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const states = Number(parsed.values.states);
  if (!Number.isInteger(states) || states < 1) {
    console.error(`--states is a whole number from 1 on\n${usage}`);
    return 2;
  }
  const scratch = scratchInside();
  if (scratch === undefined) {
    const lacking = missing();
    if (lacking.length === 0) return await runInside();
    console.error(`npm run test:power needs\n${lacking.map((what) => `  ${what}\n`).join("")}`);
    return 1;
  }
  // Not before it is known that it can be done: it makes bundles of programs.
  const { proveAll } = await import("./prove-all.ts");
  const { seed, keep } = parsed.values;
  return (await proveAll(parsed.positionals, { states, seed, keep, scratch })) ? 0 : 1;
}

function parseCommandLine() {
  return parseArgs({
    allowPositionals: true,
    options: {
      states: { type: "string", default: "300" },
      seed: { type: "string", default: new Date().toISOString().slice(0, 10) },
      keep: { type: "string", default: join(tmpdir(), "gwe-power-losses") },
    },
  });
}

try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof RigError)) throw error;
  console.error(`the rig does not work: ${error.message}`);
  process.exit(2);
}
