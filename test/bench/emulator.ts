/**
 * How many check-ins a second the emulator serves: hybrid write/read of a 500-byte `engine_report`, each durable
 * before its answer. Server and load are processes of their own; the same load against a bare node:http server in
 * the same run tells how much of that is Node's and the client's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { GweError } from "../../src/core/errors.ts";
import type { LoadOptions, LoadResult } from "./load-client.ts";

export interface EmulatorBench {
  readonly emulator: LoadResult;
  readonly bare: LoadResult;
  /** Emulator's rate over the bare server's. */
  readonly ratio: number;
  readonly connections: number;
  readonly reportBytes: number;
  /** The emulator's memory after the load. */
  readonly residentBytes: number;
}

class BenchError extends GweError {
  readonly code = "BENCH";
}

const here = import.meta.dirname;
const connections = 64;
const reportBytes = 500;
const product = "bench";

export async function benchEmulator(durationMs = 5_000): Promise<EmulatorBench> {
  const bare = await withServer(join(here, "bare-server.ts"), [], ({ firstLine }) =>
    load(Number(firstLine), [request("0".repeat(40))], [204], durationMs),
  );
  const directory = await mkdtemp(join(tmpdir(), "bench-emulator-"));
  try {
    const main = join(here, "../../src/emulator/main.ts");
    const args = ["--data", directory, "--open-activation"];
    const { result, residentBytes } = await withServer(main, args, async ({ firstLine, child }) => {
      const { url } = JSON.parse(firstLine) as { url: string };
      const ciks = await Promise.all(Array.from({ length: connections }, (_, i) => activate(url, `sn-${i}`)));
      const port = Number(new URL(url).port);
      const result = await load(port, ciks.map(request), [200, 204], durationMs);
      return { result, residentBytes: await residentBytesOf(child) };
    });
    const ratio = result.requestsPerSecond / bare.requestsPerSecond;
    return { emulator: result, bare, ratio, connections, reportBytes, residentBytes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function activate(url: string, sn: string): Promise<string> {
  const body = new URLSearchParams({ vendor: product, model: product, sn });
  const response = await fetch(`${url}/provision/activate`, { method: "POST", body });
  if (response.status !== 200) throw new BenchError(`activation answered ${response.status}`);
  return response.text();
}

/** A check-in as the engine sends it. */
function request(cik: string): string {
  const app = { meter: { status: "RUNNING", uptime: "1:02:51", exitstatus: 0, version: "1.2.3" } };
  const report = JSON.stringify({ apps: [app], pad: "" });
  const value = report.replace('"pad":""', `"pad":"${"x".repeat(reportBytes - report.length)}"`);
  const body = `engine_report=${encodeURIComponent(value)}`;
  return [
    "POST /onep:v1/stack/alias?engine_fetch&update_interval HTTP/1.1",
    "Host: 127.0.0.1",
    `X-Exosite-CIK: ${cik}`,
    "Accept: application/x-www-form-urlencoded; charset=utf-8",
    "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

async function load(
  port: number,
  requests: readonly string[],
  expectedStatus: readonly number[],
  durationMs: number,
): Promise<LoadResult> {
  const options: LoadOptions = { port, connections, durationMs, warmUpMs: 1_000, requests, expectedStatus };
  const child = start(join(here, "load-client.ts"), []);
  child.stdin?.end(JSON.stringify(options));
  return JSON.parse(await firstLineOf(child)) as LoadResult;
}

interface Running {
  readonly firstLine: string;
  readonly child: ChildProcess;
}

async function withServer<T>(
  file: string,
  args: readonly string[],
  work: (server: Running) => Promise<T>,
): Promise<T> {
  const child = start(file, args);
  try {
    return await work({ firstLine: await firstLineOf(child), child });
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
}

function start(file: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [file, ...args], { stdio: ["pipe", "pipe", "inherit"] });
}

async function firstLineOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new BenchError("no stdout");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new BenchError("ended without a line");
}

async function residentBytesOf(child: ChildProcess): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
}

if (import.meta.main) {
  const { emulator, bare, ratio, residentBytes } = await benchEmulator();
  const rate = ({ requestsPerSecond, p50Ms, p99Ms }: LoadResult) =>
    `${requestsPerSecond.toFixed(0)} requests/s (p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms)`;
  console.log(
    `emulator, durable check-ins of ${reportBytes} bytes, ${connections} connections: ${rate(emulator)}`,
  );
  console.log(`bare node:http server, same load: ${rate(bare)}`);
  console.log(
    `ratio ${ratio.toFixed(2)}; emulator's resident memory ${(residentBytes / 2 ** 20).toFixed(0)} MB`,
  );
}
