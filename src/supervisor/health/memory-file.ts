import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import type { SupervisorSystem } from "../system.ts";
import { type HealthMemory, wellSoFar } from "./policy.ts";

const schema = z.object({
  bootId: z.string(),
  failures: z.int(),
  detail: z.exactOptional(z.string()),
  restarts: z.int(),
  restartedCs: z.exactOptional(z.number()),
});

/** Keeps what is remembered of a process' health beside its launcher's notes, for the next engine of this boot. */
export class HealthFile {
  private readonly file: string;
  private readonly system: Pick<SupervisorSystem, "bootId" | "writeFileAtomic">;

  constructor(directory: string, system: Pick<SupervisorSystem, "bootId" | "writeFileAtomic">) {
    this.file = join(directory, "health");
    this.system = system;
  }

  read(): HealthMemory {
    let text: string;
    try {
      text = readFileSync(this.file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return wellSoFar;
      throw error;
    }
    const parsed = schema.safeParse(parseJson(text));
    // What nobody can read is about another time: probes start afresh.
    if (!parsed.success || parsed.data.bootId !== this.system.bootId()) return wellSoFar;
    const { failures, detail, restarts, restartedCs } = parsed.data;
    return { failures, detail, restarts, restartedCs };
  }

  write(memory: HealthMemory): void {
    const text = JSON.stringify({ bootId: this.system.bootId(), ...memory });
    this.system.writeFileAtomic(this.file, `${text}\n`, { mode: 0o600 });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
