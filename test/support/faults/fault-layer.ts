import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const source = join(import.meta.dirname, "fault-layer.c");
const cache = join(import.meta.dirname, "../../../node_modules/.cache/gateway-engine-tests");

/** What happens at the n-th counted call of all processes together, counted from 1. */
export interface Fault {
  readonly at: number;
  /** How many calls in a row it happens at; 1 by default. */
  readonly span?: number;
  readonly what: /** `kill -9` of every process that the layer is in, before the call. */
    | { readonly kind: "kill" }
    /** As `kill`; of a write, half is done before. */
    | { readonly kind: "half" }
    | { readonly kind: "error"; readonly errno: "EIO" | "ENOSPC" | "EROFS" }
    /** A shell command that runs before the call and that the call waits for. */
    | { readonly kind: "run"; readonly command: string };
}

/** Which calls are counted: those that change something, or those that read. */
export type CountedCalls = "changes" | "reads";

export interface TracedCall {
  readonly n: number;
  readonly role: string;
  /** `write`, `fsync`, `rename` and so on. */
  readonly call: string;
  /** Below the root, beginning with a slash. */
  readonly path: string;
}

const errnos = { EIO: 5, ENOSPC: 28, EROFS: 30 } as const;

/** The compiled layer. @throws when there is no C compiler */
function library(): string {
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16);
  const file = join(cache, `fault-layer-${hash}.so`);
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true });
  const own = `${file}.${process.pid}`;
  execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", own, source, "-ldl"]);
  renameSync(own, file);
  return file;
}

/** The fault layer (fault-layer.c) over what programs do below one directory. */
export class FaultLayer implements Disposable {
  /** Holds what the layer needs for itself; apart from the root. */
  readonly directory = mkdtempSync(join(tmpdir(), "gwe-faults-"));
  private readonly root: string;
  private readonly calls: CountedCalls;
  private readonly environment: Readonly<Record<string, string>>;

  constructor(root: string, fault?: Fault, calls: CountedCalls = "changes") {
    this.root = root;
    this.calls = calls;
    writeFileSync(join(this.directory, "state"), Buffer.alloc(4096));
    this.environment = this.describe(fault);
  }

  /** For a process in which the layer is to be. `role` names it in the trace; `engine` is killed with any other. */
  environmentOf(role: string): Readonly<Record<string, string>> {
    return { ...this.environment, GWE_FAULT_ROLE: role };
  }

  /** A program that runs Node with the layer in it, whatever environment it is started with. */
  nodeFile(role: string): string {
    const file = join(this.directory, `node-${role}`);
    const settings = Object.entries(this.environmentOf(role)).map(
      ([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`,
    );
    writeFileSync(file, `#!/bin/sh\nexec env ${settings.join(" ")} ${process.execPath} "$@"\n`, {
      mode: 0o755,
    });
    return file;
  }

  get traceFile(): string {
    return join(this.directory, "trace");
  }

  /** Lines of the trace as they are: calls, and what others may have written between them. */
  trace(): readonly string[] {
    return existsSync(this.traceFile) ? readFileSync(this.traceFile, "utf8").split("\n").slice(0, -1) : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private describe(fault: Fault | undefined): Readonly<Record<string, string>> {
    const { at = 0, span = 1, what } = fault ?? {};
    return {
      LD_PRELOAD: library(),
      GWE_FAULT_STATE: join(this.directory, "state"),
      GWE_FAULT_TRACE: this.traceFile,
      GWE_FAULT_ROOT: this.root,
      GWE_FAULT_CALLS: this.calls,
      GWE_FAULT_AT: String(at),
      GWE_FAULT_SPAN: String(span),
      GWE_FAULT_ACTION: what?.kind ?? "",
      GWE_FAULT_ERRNO: what?.kind === "error" ? String(errnos[what.errno]) : "0",
      GWE_FAULT_COMMAND: what?.kind === "run" ? `unset LD_PRELOAD; ${what.command}` : "",
    };
  }
}

export function parseCall(line: string): TracedCall | undefined {
  const match = /^(\d+) (\S*) (\S+) (.*)$/.exec(line);
  if (match === null) return undefined;
  const [, n, role = "", call = "", path = ""] = match;
  return { n: Number(n), role, call, path };
}
