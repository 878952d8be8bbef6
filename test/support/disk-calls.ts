import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** What a process asked of its disk while it was watched. */
export interface DiskCalls {
  /** The files synced, one by one. */
  readonly syncs: readonly string[];
  /** Bytes written, by file; none for what was only read, sockets and pipes. */
  readonly written: ReadonlyMap<string, number>;
}

const calls = "fsync,fdatasync,syncfs,sync_file_range,msync,write,writev,pwrite64,pwritev";

/** Watches a process and its threads by Debian's strace while `work` goes on. */
export async function diskCallsDuring(
  pid: number,
  log: string,
  work: () => Promise<void>,
): Promise<DiskCalls> {
  const strace = spawn(
    "strace",
    ["-f", "-y", "-s", "0", "-o", log, "-e", `trace=${calls}`, "-p", String(pid)],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const [said] = (await once(strace.stderr.setEncoding("utf8"), "data")) as [string];
  if (!said.includes("attached")) throw new TypeError(`strace: ${said}`);
  try {
    await work();
  } finally {
    strace.kill("SIGINT");
    await once(strace, "exit");
  }
  return parse(readFileSync(log, "utf8"));
}

function parse(text: string): DiskCalls {
  const syncs: string[] = [];
  const written = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, call, file = ""] = /^\d+\s+(\w+)\(\d+<([^>]*)>/.exec(line) ?? [];
    if (call === undefined || !file.startsWith("/") || file.startsWith("/dev/")) continue;
    if (!/write/.test(call)) syncs.push(file);
    else written.set(file, (written.get(file) ?? 0) + Number(/= (\d+)$/.exec(line)?.[1] ?? 0));
  }
  return { syncs, written };
}
