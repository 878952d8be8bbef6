import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { MuranoAccess } from "./murano-owner.ts";

export interface LocalMurano extends MuranoAccess {
  stop(): Promise<void>;
}

/** Starts `bin/murano-emulator` on a free port and waits until it is ready. */
export async function startLocalMurano(dataDirectory: string): Promise<LocalMurano> {
  const program = join(import.meta.dirname, "../../../bin/murano-emulator");
  const child = spawn(program, ["--port", "0", "--data", dataDirectory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const firstLine = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new EmulatorStartError(`the emulator ended with status ${code}`)));
  });
  return {
    ...(JSON.parse(firstLine) as MuranoAccess),
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** The emulator did not come up; it says why on stderr. */
class EmulatorStartError extends Error {
  override readonly name = "EmulatorStartError";
}
