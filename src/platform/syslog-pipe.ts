import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** A way into the machine's syslog. */
export interface SyslogPipe {
  /** Undefined once it has broken. */
  readonly input: Writable | undefined;
  /** Hands over what was written, for two seconds at most. */
  close(): Promise<void>;
}

const closeTimeoutMs = 2_000;

/**
 * Sends lines to syslog with facility `user` and priority `info`, through `logger`, for Node has no datagram sockets of
 * the file system. It ends with this process.
 *
 * @param socket where syslog listens; anything but `/dev/log` takes util-linux' logger
 */
export function openSyslogPipe(socket: string, tag: string): SyslogPipe {
  const place = socket === "/dev/log" ? [] : ["-u", socket];
  const child = spawn("logger", ["-p", "user.info", "-t", tag, ...place], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  let input: Writable | undefined = child.stdin;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      input = undefined;
      resolve();
    };
    child.once("error", end).once("exit", end);
  });
  // Its end is told by the two above.
  child.stdin.on("error", () => undefined);
  return {
    get input() {
      return input;
    },
    close: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), closeTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
