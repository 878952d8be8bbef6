/** `gwe fleet` in this process, as the owner of an emulated fleet. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitStatusOf } from "../../src/cli/exit-status.ts";
import { runFleet } from "../../src/cli/gwe-fleet.ts";
import { resolvePaths } from "../../src/config/index.ts";
import { describeError } from "../../src/core/errors.ts";

export interface FleetRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Owner {
  readonly url: string;
  readonly cik: string;
}

/** Runs `gwe fleet <argv>`; what it throws becomes its exit status and message, as in a process of its own. */
export async function fleetCommand(
  owner: Owner,
  argv: readonly string[],
  { stdin = "" }: { readonly stdin?: string } = {},
): Promise<FleetRun> {
  const home = mkdtempSync(join(tmpdir(), "fleet-command-"));
  const env = { GWE_HOME: home, GWE_FLEET_URL: owner.url, GWE_OWNER_CIK: owner.cik };
  let stdout = "";
  let stderr = "";
  const terminal = {
    env,
    isTty: false,
    columns: undefined,
    write: async (data: string | Uint8Array) => {
      stdout += Buffer.from(data).toString();
    },
    note: (line: string) => {
      stderr += `${line}\n`;
    },
    prompt: () => undefined,
    readStdin: async () => stdin,
    lines: async function* () {
      yield* stdin.split("\n");
    },
  };
  try {
    const status = await runFleet(argv, { terminal, paths: resolvePaths(env) });
    return { status, stdout, stderr };
  } catch (error) {
    return { status: exitStatusOf(error), stdout, stderr: `${stderr}${describeError(error)}\n` };
  } finally {
    rmSync(home, { recursive: true });
  }
}
