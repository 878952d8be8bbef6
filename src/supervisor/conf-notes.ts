import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SupervisorConf } from "./supervisor-conf/index.ts";
import type { SupervisorSystem } from "./system.ts";

/** Leaves word in a process' run directory of what `supervisor.conf` said when it was started. */
export class ConfNotes {
  private readonly system: Pick<SupervisorSystem, "writeFileAtomic">;

  constructor(system: Pick<SupervisorSystem, "writeFileAtomic">) {
    this.system = system;
  }

  note(directory: string, conf: SupervisorConf): void {
    this.system.writeFileAtomic(join(directory, fileName), `${digestOf(conf)}\n`, { mode: 0o600 });
  }

  /** Whether the file says something else now. What was never started has nothing to differ from. */
  hasChanged(directory: string, conf: SupervisorConf): boolean {
    const noted = read(join(directory, fileName));
    return noted !== undefined && noted !== digestOf(conf);
  }
}

const fileName = "conf-digest";

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Of what it means: comments and the order of options make no difference. */
function digestOf({ warnings: _, ...conf }: SupervisorConf): string {
  return createHash("sha256").update(JSON.stringify(conf)).digest("hex");
}
