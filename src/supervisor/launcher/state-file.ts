import { constants } from "node:os";
import * as z from "zod/mini";
import { type BootProcess, parseIdentity } from "./boot-process.ts";

/** What a launcher noted last. Times are centiseconds after boot. */
export interface LauncherState {
  readonly bootId: string;
  readonly generation: number;
  readonly state: "STARTING" | "STOPPING" | "STOPPED" | "BACKOFF" | "EXITED" | "FATAL";
  readonly sinceCs: number;
  readonly launcher: BootProcess | undefined;
  readonly child: BootProcess | undefined;
  readonly startSecs: number;
  /** Without `SIG`. */
  readonly stopSignal: string;
  readonly stopWaitSecs: number;
  readonly stopAsGroup: boolean;
  readonly killAsGroup: boolean;
  readonly startedCs: number | undefined;
  readonly endedCs: number | undefined;
  readonly exitStatus: number | undefined;
  /** `SIGSEGV` */
  readonly signal: string | undefined;
  /** Starts in a row that did not last. */
  readonly failures: number;
  readonly restarts: number;
  /** The policy is through: it is not started again unless somebody asks. */
  readonly final: boolean;
  readonly detail: string | undefined;
}

const integer = z.pipe(
  z.string().check(z.regex(/^\d{1,15}$/)),
  z.transform((text: string) => Number(text)),
);
const optionalInteger = z.union([
  z.pipe(
    z.literal(""),
    z.transform(() => undefined),
  ),
  integer,
]);
const identity = z.pipe(z.string(), z.transform(parseIdentity));

const schema = z.object({
  boot: z.string(),
  generation: integer,
  state: z.enum(["STARTING", "STOPPING", "STOPPED", "BACKOFF", "EXITED", "FATAL"]),
  since: integer,
  launcher: identity,
  child: identity,
  startsecs: integer,
  stopsignal: z.string().check(z.regex(/^[A-Z0-9]{1,10}$/)),
  stopwaitsecs: integer,
  // Launchers of an earlier release, which an update leaves running, don't write them.
  stopasgroup: z.optional(z.string()),
  killasgroup: z.optional(z.string()),
  started: optionalInteger,
  ended: optionalInteger,
  exit: optionalInteger,
  signal: optionalInteger,
  failures: integer,
  restarts: integer,
  final: z.string(),
  detail: z.string(),
});

/** Reads the file `state`; undefined for what no launcher wrote. */
export function parseLauncherState(text: string): LauncherState | undefined {
  const pairs = text.split("\n").flatMap((line) => {
    const equals = line.indexOf("=");
    return equals < 0 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
  });
  const parsed = schema.safeParse(Object.fromEntries(pairs));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  return {
    bootId: data.boot,
    generation: data.generation,
    state: data.state,
    sinceCs: data.since,
    launcher: data.launcher,
    child: data.child,
    startSecs: data.startsecs,
    stopSignal: data.stopsignal,
    stopWaitSecs: data.stopwaitsecs,
    stopAsGroup: data.stopasgroup === "1",
    killAsGroup: data.killasgroup === "1",
    startedCs: data.started,
    endedCs: data.ended,
    exitStatus: data.exit,
    signal: data.signal === undefined ? undefined : signalName(data.signal),
    failures: data.failures,
    restarts: data.restarts,
    final: data.final === "1",
    detail: data.detail === "" ? undefined : data.detail,
  };
}

function signalName(number: number): string {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return entry?.[0] ?? `SIG${number}`;
}
