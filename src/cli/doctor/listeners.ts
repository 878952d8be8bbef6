import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** One row of /proc/net/tcp or tcp6 that listens. */
interface Listener {
  readonly port: number;
  readonly inode: string;
}

const listening = "0A";

/** The listening sockets that /proc/net/tcp or tcp6 tells of. */
export function listenersIn(text: string): readonly Listener[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const port = local?.split(":")[1];
      if (state !== listening || port === undefined || inode === undefined) return [];
      return [{ port: Number.parseInt(port, 16), inode }];
    });
}

/** Who listens on a TCP port here: `name (pid N)`, or `somebody` where this user may not know; undefined: nobody. */
export function whoListens(port: number): string | undefined {
  const listener = ["/proc/net/tcp", "/proc/net/tcp6"]
    .flatMap(readListeners)
    .find((found) => found.port === port);
  if (listener === undefined) return undefined;
  const target = `socket:[${listener.inode}]`;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === target)) {
        return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (pid ${pid})`;
      }
    } catch {
      // Gone meanwhile, or another user's: then it is "somebody".
    }
  }
  return "somebody";
}

function readListeners(file: string): readonly Listener[] {
  try {
    return listenersIn(readFileSync(file, "latin1"));
  } catch {
    // A kernel without IPv6 has no such file.
    return [];
  }
}
