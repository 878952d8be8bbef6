import { runProcess } from "./run-process.ts";

/** systemd's side of a service that tells how it is (sd_notify(3)); absent where nobody listens. */
export interface ServiceNotifier {
  /** systemd ends this process unless it hears `WATCHDOG=1` this often; undefined without a watchdog. */
  readonly watchdogMs: number | undefined;
  /** @param state such as `READY=1`. @returns what went wrong, in words; "" when systemd has it. Never rejects. */
  notify(state: string): Promise<string>;
}

const notifyTimeoutMs = 10_000;

/**
 * Node has no datagram sockets of Unix, which sd_notify's protocol takes: `systemd-notify`, a part of systemd, sends.
 * As root it speaks for the process that called it, so that `NotifyAccess=main` lets nobody else in; and it returns
 * when systemd has read the message (docs/adr/0017).
 */
export function serviceNotifier(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): ServiceNotifier | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (socket === undefined || socket === "") return undefined;
  const watchdogUs = Number(WATCHDOG_USEC);
  const isWatched = watchdogUs > 0 && (WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === pid);
  return {
    watchdogMs: isWatched ? watchdogUs / 1000 : undefined,
    notify: async (state) => {
      const { end, exitCode, output, failure } = await runProcess({
        command: "systemd-notify",
        args: [state],
        cwd: "/",
        env: { PATH: "/usr/bin:/bin", NOTIFY_SOCKET: socket },
        timeoutMs: notifyTimeoutMs,
        killAfterMs: 100,
        maxOutputBytes: 1024,
      });
      if (end === "exited" && exitCode === 0) return "";
      return `${end} ${exitCode ?? ""} ${failure ?? ""} ${output.toString("utf8")}`
        .replace(/\s+/g, " ")
        .trim();
    },
  };
}
