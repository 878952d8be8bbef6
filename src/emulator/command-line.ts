import { parseArgs } from "node:util";
import { describeIssues } from "./describe-issues.ts";
import type { EmulatorOptions } from "./emulator.ts";
import { UsageError } from "./errors.ts";
import { type Fault, faultSchema } from "./faults/fault.ts";
import { isModelName, modelNameRule } from "./model-name.ts";

export const usage = `Usage: murano-emulator --port N --data DIR [options]

A local Murano: the Device API and its management side, for development, demos and tests.
When it is ready it prints one line of JSON: {"url":…,"token":…,"cik":…} (the owner's token and CIK).

  --port N              port; 0: a free one (default 0)
  --host HOST           address to listen on (default 127.0.0.1)
  --data DIR            where everything is kept; made when it isn't there
  --database URL        or a PostgreSQL database, which several servers may share: postgres://host/name,
                        postgres:///name?host=/run/postgresql for a Unix socket (also by the environment's
                        MURANO_EMULATOR_DATABASE: other users see a command's arguments)
  --token T             the owner's token (default: that of the last start, or a new one)
  --open-activation     serials and products that were never added activate on first try
  --product PID         add this product when it isn't there; may be repeated
  --strict-aliases      writes to aliases that a device doesn't have are skipped, not created
  --history N           values kept per alias (default 1000)
  --time-offset S       seconds by which the server's clock is ahead of this machine's

Faults (docs/murano-emulator.md; they can be switched at run time too):
  --fault JSON          e.g. '{"match":{"procedure":"download"},"cutAfterBytes":1000,"count":1}'; may be repeated
  --latency MS          every request waits
  --drop PROBABILITY    connections are destroyed before the answer
  --bytes-per-second N  speed of every answer's body
  --offline-for MS      refuse connections at first
  --fault-seed N        seed of the chance in faults (default 1)

  -h, --help            this text
  -v, --version         the version
`;

export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly options: EmulatorOptions; readonly offlineForMs: number };

/** @throws UsageError naming the argument */
export function parseCommandLine(
  argv: readonly string[],
  environment: Readonly<NodeJS.ProcessEnv> = {},
): Command {
  const values = parseFlags(argv);
  if (values.help) return { kind: "help" };
  if (values.version) return { kind: "version" };
  const place = placeOf(values, environment);
  const { token } = values;
  if (token !== undefined && !/^[\x21-\x7e]{1,200}$/.test(token)) {
    throw new UsageError("--token must be 1 to 200 printable characters without spaces");
  }
  const misnamed = values.product?.find((name) => !isModelName(name));
  if (misnamed !== undefined) throw new UsageError(`--product '${misnamed}': expected ${modelNameRule}`);
  return {
    kind: "run",
    offlineForMs: wholeNumber("offline-for", values["offline-for"] ?? "0", 86_400_000),
    options: {
      ...place,
      host: values.host ?? "127.0.0.1",
      port: wholeNumber("port", values.port ?? "0", 65_535),
      ...(token !== undefined && { token }),
      openActivation: values["open-activation"] ?? false,
      strictAliases: values["strict-aliases"] ?? false,
      historyLimit: Math.max(1, wholeNumber("history", values.history ?? "1000", 10_000_000)),
      products: values.product ?? [],
      timeOffsetS: timeOffset(values["time-offset"] ?? "0"),
      faults: faults(values),
      faultSeed: wholeNumber("fault-seed", values["fault-seed"] ?? "1", 0xffff_ffff),
    },
  };
}

type Flags = ReturnType<typeof parseFlags>;

function parseFlags(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const list = { type: "string", multiple: true } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: text,
        host: text,
        data: text,
        database: text,
        token: text,
        "open-activation": flag,
        product: list,
        "strict-aliases": flag,
        history: text,
        "time-offset": text,
        fault: list,
        latency: text,
        drop: text,
        "bytes-per-second": text,
        "offline-for": text,
        "fault-seed": text,
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function placeOf(
  { data, database }: Flags,
  environment: Readonly<NodeJS.ProcessEnv>,
): Pick<EmulatorOptions, "dataDirectory" | "database"> {
  if (data !== undefined && database !== undefined) {
    throw new UsageError("--data and --database exclude each other");
  }
  if (data !== undefined && data !== "") return { dataDirectory: data };
  const url = database ?? environment.MURANO_EMULATOR_DATABASE;
  if (url === undefined || url === "") throw new UsageError("--data DIR or --database URL is missing");
  // The text itself may hold a password.
  if (!/^postgres(ql)?:\/\//.test(url)) throw new UsageError("the database must be a URL: postgres://…");
  return { database: url };
}

function faults(values: Flags): Fault[] {
  const { latency, drop } = values;
  const speed = values["bytes-per-second"];
  return [
    ...(values.fault ?? []).map(parseFault),
    ...(latency === undefined
      ? []
      : [{ id: "latency", latencyMs: wholeNumber("latency", latency, 86_400_000) }]),
    ...(drop === undefined
      ? []
      : [{ id: "drop", drop: "before" as const, probability: probability("drop", drop) }]),
    ...(speed === undefined
      ? []
      : [{ id: "speed", bytesPerSecond: Math.max(1, wholeNumber("bytes-per-second", speed, 1e12)) }]),
  ];
}

function parseFault(text: string): Fault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--fault is not JSON: ${text}`, { cause: error });
  }
  const parsed = faultSchema.safeParse(value);
  if (!parsed.success) throw new UsageError(`--fault: ${describeIssues(parsed.error)}`);
  return parsed.data;
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from 0 to ${max}, not '${text}'`);
}

function timeOffset(text: string): number {
  const value = Number(text);
  if (/^-?\d{1,10}$/.test(text)) return value;
  throw new UsageError(`--time-offset must be whole seconds, not '${text}'`);
}

function probability(name: string, text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && value <= 1) return value;
  throw new UsageError(`--${name} must be a probability from 0 to 1, not '${text}'`);
}
