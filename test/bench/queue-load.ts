import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { GweError } from "../../src/core/errors.ts";
import type { LoadOptions as ClientOptions, LoadResult } from "./load-client.ts";
import type { Tail } from "./percentile.ts";

class BenchError extends GweError {
  readonly code = "BENCH";
}

/** Servers have one core, and what loads them the other. */
const serverCore = "0";
const clientCore = "1";

/** What parts of the bench run in a process of their own. */
export const childFile = join(import.meta.dirname, "queue-child.ts");

export type Body = "write" | "record";
export const pointsPerRecord = 100;

/** The young generation of a client takes all that it allocates in a run: its pauses are not the server's. */
const noCollecting = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

/** One write a second of each is what a gateway may be asked for. */
const sensors = 20_000;

/** The 100 bytes that Redis gets too. */
const value = "x".repeat(100);
const caller = "bench bench app";
const writesPath = "/onep:v1/stack/alias";
const formType = "application/x-www-form-urlencoded; charset=utf-8";

/** For wrk: writes of many sensors, or records. No two points of an alias have the same second for long. */
function script(kind: Body, aliases: readonly string[]): string {
  const head = `wrk.method = "POST"
wrk.headers["X-Exosite-VMS"] = "${caller}"
wrk.headers["Content-Type"] = "${formType}"
`;
  if (kind === "write") {
    return `${head}local bodies = {}
local turn = 0
function init()
  for i = 1, ${sensors} do bodies[i] = wrk.format(nil, nil, nil, "sensor" .. i .. "=${value}") end
end
function request()
  turn = turn % ${sensors} + 1
  return bodies[turn]
end
`;
  }
  const names = aliases.map((name) => `"${name}"`).join(", ");
  return `${head}local aliases = {${names}}
local second = 1000000000 + math.floor((os.time() % 100000) * 5000)
local turn = 0
function request()
  turn = turn + 1
  if turn % #aliases == 0 then second = second + ${pointsPerRecord} end
  local parts = {"alias=" .. aliases[turn % #aliases + 1]}
  for i = 0, ${pointsPerRecord - 1} do parts[i + 2] = (second + i) .. "=21." .. i end
  return wrk.format("POST", "/onep:v1/stack/record", nil, table.concat(parts, "&"))
end
`;
}

export interface LoadOptions {
  readonly directory: string;
  readonly port: number;
  readonly kind: Body;
  readonly connections: number;
  readonly seconds: number;
  readonly aliases?: readonly string[];
}

/**
 * Puts load on a server with wrk, pinned to its own core. @returns requests a second
 * @throws BenchError when an answer is not 204
 */
export async function load(options: LoadOptions): Promise<number> {
  const { directory, port, kind, connections, seconds, aliases = ["temperature"] } = options;
  const file = join(directory, `${kind}.lua`);
  writeFileSync(file, script(kind, aliases));
  const url = `http://127.0.0.1:${port}${writesPath}`;
  // 64 requests that are committed one by one wait long on a slow disk: that is a figure, not a failure.
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "60s", "-s", file, url];
  const output = await run("taskset", ["-c", clientCore, "wrk", ...args]);
  const trouble = /Non-2xx.*|Socket errors.*/.exec(output);
  if (trouble !== null) throw new BenchError(`wrk: ${trouble[0]}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
}

/**
 * Writes one after the other over one connection, of all sensors in turn. Not with wrk, which tells latencies only as
 * somebody meets them who asks at an even pace. @throws BenchError when an answer is not 204
 */
export async function loneWrites(port: number, seconds: number): Promise<LoadResult> {
  const requests = Array.from({ length: sensors }, (_, index) => {
    const body = `sensor${index + 1}=${value}`;
    const head = [
      `POST ${writesPath} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      `X-Exosite-VMS: ${caller}`,
      `Content-Type: ${formType}`,
      `Content-Length: ${body.length}`,
    ];
    return `${head.join("\r\n")}\r\n\r\n${body}`;
  });
  const options: ClientOptions = {
    port,
    connections: 1,
    durationMs: seconds * 1_000,
    // Until the client's own code is compiled.
    warmUpMs: 1_500,
    requests,
    expectedStatus: [204],
    isPolling: true,
  };
  const file = join(import.meta.dirname, "load-client.ts");
  const client = [process.execPath, ...noCollecting, file];
  const output = await run("taskset", ["-c", clientCore, ...client], JSON.stringify(options));
  return JSON.parse(output) as LoadResult;
}

/** LPUSHes of 100 bytes a second, each on disk before its answer. */
export async function redisRate(directory: string, seconds: number): Promise<number> {
  const port = await freePort();
  const args = ["--port", `${port}`, "--dir", directory, "--save", "", "--appendonly", "yes"];
  const server = spawn("taskset", ["-c", serverCore, "redis-server", ...args, "--appendfsync", "always"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  try {
    for await (const chunk of server.stdout) if (String(chunk).includes("Ready to accept")) break;
    server.stdout.resume();
    const benchmark = ["-p", `${port}`, "-c", "64", "-d", "100", "-t", "lpush", "--csv"];
    const count = 20_000 * seconds;
    const output = await run("taskset", [
      "-c",
      clientCore,
      "redis-benchmark",
      ...benchmark,
      "-n",
      `${count}`,
    ]);
    return Number(/"LPUSH","([\d.]+)"/.exec(output)?.[1]);
  } finally {
    server.kill();
    await ended;
  }
}

export function pinToServerCore(pid: number): void {
  spawnSync("taskset", ["-apc", serverCore, `${pid}`], { stdio: "ignore" });
}

/** Of an fdatasync in place, on the servers' core. */
export async function fdatasyncTail(directory: string, seconds: number): Promise<Tail> {
  return JSON.parse(await runChild([childFile, "fdatasync", directory, `${seconds}`])) as Tail;
}

/** A child of this bench, on the servers' core. @returns its whole standard output */
export function runChild(args: readonly string[]): Promise<string> {
  return run("taskset", ["-c", serverCore, process.execPath, ...args]);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function run(command: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const status = await ended;
  if (status !== 0) throw new BenchError(`${command} ${args.join(" ")} ended with ${status}`);
  return Buffer.concat(chunks).toString();
}
