/** A `gwe` subcommand as a function call: the same code as `bin/gwe` runs, without a process for each call. */

import { exitStatusOf } from "../../src/cli/exit-status.ts";
import type { GweContext } from "../../src/cli/gwe-context.ts";
import type { Paths } from "../../src/config/index.ts";
import { describeError } from "../../src/core/errors.ts";

export interface CommandOutcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Subcommand = (argv: readonly string[], context: GweContext) => Promise<number>;

export async function callCommand(
  command: Subcommand,
  argv: readonly string[],
  paths: Paths,
  input = "",
): Promise<CommandOutcome> {
  const said = { stdout: "", stderr: "" };
  const terminal: GweContext["terminal"] = {
    env: {},
    isTty: false,
    columns: undefined,
    write: async (data) => {
      said.stdout += typeof data === "string" ? data : Buffer.from(data).toString();
    },
    note: (line) => {
      said.stderr += `${line}\n`;
    },
    prompt: (text) => {
      said.stderr += text;
    },
    readStdin: async () => input,
    lines: async function* () {
      yield* input.split("\n").slice(0, -1);
    },
  };
  try {
    return { status: await command(argv, { terminal, paths }), ...said };
  } catch (error) {
    return {
      status: exitStatusOf(error),
      stdout: said.stdout,
      stderr: `${said.stderr}${describeError(error)}\n`,
    };
  }
}
