import * as z from "zod/mini";
import { type FetchStatus, parseFetchStatus } from "./fetch-status.ts";
import type { CommandResult, GatewayApp, GatewayFacts } from "./gateway.ts";

/** A dataport's newest value. */
export interface Reading {
  readonly ts: number;
  readonly text: string;
}

const text = z.catch(z.optional(z.string()), undefined);
const count = z.catch(z.optional(z.number().check(z.gte(0))), undefined);

/** Reports come from gateways of any version: what is not as expected counts as absent. */
const engineReport = z.object({
  apps: z.array(
    z.record(z.string(), z.looseObject({ status: text, version: text, entries: count, backlog: count })),
  ),
});

const deviceInfo = z.object({
  engine: text,
  hostname: text,
  kernel: text,
  arch: text,
  os: z.catch(z.optional(z.object({ distro: text, release: text })), undefined),
  machine: z.catch(z.optional(z.object({ manufacturer: text, model: text })), undefined),
  memory: z.catch(z.optional(z.object({ total: count, available: count })), undefined),
  filesystems: z.catch(
    z.optional(
      z.array(
        z.object({ mount: z.string(), read_only: z.catch(z.boolean(), false), total: count, used: count }),
      ),
    ),
    undefined,
  ),
  interfaces: z.catch(
    z.optional(z.array(z.object({ name: z.string(), addresses: z.catch(z.array(z.string()), []) }))),
    undefined,
  ),
});

const usageReport = z.record(z.string(), z.object({ rx: count, tx: count }));

const command = z.object({ id: z.union([z.string(), z.number()]) });

/** What the newest values of a gateway's dataports say of it. */
export function gatewayFacts(values: ReadonlyMap<string, Reading>): GatewayFacts {
  return {
    ...appsOf(values.get("engine_report")),
    ...machineOf(values.get("device_info")),
    ...trafficOf(values.get("usage_report")),
    ...pendingOf(values.get("engine_fetch")),
    ...resultOf(values.get("fetch_status")),
  };
}

/** The value of `engine_report`, as far as it is one. */
function parseEngineReport(value: string): z.infer<typeof engineReport> | undefined {
  return parseValue(engineReport, value);
}

/** The parts of the engine itself; they are told apart from the apps that it hosts. */
const ownParts = new Set(["gwe", "gmq"]);

function appsOf(reading: Reading | undefined): Pick<GatewayFacts, "apps" | "engine" | "queue"> {
  const apps: GatewayApp[] = [];
  let engine: string | undefined;
  let queue: number | undefined;
  for (const entry of (reading && parseEngineReport(reading.text)?.apps) ?? []) {
    for (const [name, { status = "UNKNOWN", version = "", entries }] of Object.entries(entry)) {
      if (name === "gwe") engine = version;
      if (name === "gmq") queue = entries;
      if (!ownParts.has(name)) apps.push({ name, version, status });
    }
  }
  return { apps, ...(engine !== undefined && { engine }), ...(queue !== undefined && { queue }) };
}

function machineOf(reading: Reading | undefined): Partial<GatewayFacts> {
  const info = reading && parseValue(deviceInfo, reading.text);
  if (!info) return {};
  const { os, machine, memory } = info;
  return present({
    engine: info.engine,
    host: info.hostname,
    kernel: info.kernel,
    arch: info.arch,
    os: words(os?.distro, os?.release),
    model: words(machine?.manufacturer, machine?.model),
    // Without the prefix's length: operators look for the address.
    ip: info.interfaces
      ?.find(({ name, addresses }) => name !== "lo" && addresses.length > 0)
      ?.addresses[0]?.replace(/\/\d+$/, ""),
    memory: memory && percent((memory.total ?? 0) - (memory.available ?? 0), memory.total),
    disk: fullest(info.filesystems ?? []),
  });
}

/** File systems that are full by nature (images, read-only) say nothing. */
function fullest(
  filesystems: readonly {
    readonly read_only: boolean;
    readonly total?: number | undefined;
    readonly used?: number | undefined;
  }[],
): number | undefined {
  const shares = filesystems
    .filter(({ read_only }) => !read_only)
    .map(({ used, total }) => percent(used, total))
    .filter((share) => share !== undefined);
  return shares.length === 0 ? undefined : Math.max(...shares);
}

function trafficOf(reading: Reading | undefined): Pick<GatewayFacts, "traffic"> {
  const usage = reading && parseValue(usageReport, reading.text);
  if (!usage) return {};
  const known = Object.values(usage).filter(({ rx, tx }) => rx !== undefined || tx !== undefined);
  if (known.length === 0) return {};
  return { traffic: known.reduce((sum, { rx = 0, tx = 0 }) => sum + rx + tx, 0) };
}

function pendingOf(reading: Reading | undefined): Pick<GatewayFacts, "pending"> {
  if (!reading || reading.text === "") return {};
  return { pending: commandId(reading.text) ?? reading.text.slice(0, 200) };
}

/** The id in a command's text. */
function commandId(value: string): string | undefined {
  const id = parseValue(command, value)?.id;
  return id === undefined ? undefined : String(id);
}

function resultOf(reading: Reading | undefined): { result?: CommandResult } {
  if (!reading || reading.text === "") return {};
  const status = parseFetchStatus(reading.text);
  const worst = status.apps.find(({ status: word }) => isFailure(word)) ?? status.apps[0];
  return {
    result: {
      ts: reading.ts,
      id: status.id,
      status: worst?.status ?? (status.error === undefined ? "" : "failed"),
      app: worst?.name ?? "",
      version: worst?.version ?? "",
    },
  };
}

const failures = new Set(["failed", "interrupted", "cancelled", "rolled-back"]);

export function isFailure(word: FetchStatus["apps"][number]["status"]): boolean {
  return failures.has(word);
}

function percent(part: number | undefined, whole: number | undefined): number | undefined {
  if (part === undefined || whole === undefined || whole <= 0) return undefined;
  return Math.min(100, Math.max(0, Math.round((part / whole) * 100)));
}

function words(...parts: readonly (string | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined && part !== "");
  return known.length === 0 ? undefined : known.join(" ");
}

function present(
  facts: { readonly [Key in keyof GatewayFacts]?: GatewayFacts[Key] | undefined },
): Partial<GatewayFacts> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

function parseValue<T extends z.ZodMiniType>(schema: T, value: string): z.infer<T> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    return undefined; // an older engine's text, or a value that somebody wrote by hand
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}
