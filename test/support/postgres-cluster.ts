/** A PostgreSQL cluster of its own, by Debian's package: in a temporary directory, on a Unix socket, gone at the end. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { GweError } from "../../src/core/errors.ts";

class ClusterError extends GweError {
  readonly code = "POSTGRES_CLUSTER";
}

export interface ClusterOptions {
  /** Whether commits reach the disk; off by default: a test that cuts no power only waits for it. */
  readonly fsync?: boolean;
}

/** Has the emulator's tables: copying them is faster than making them for each test. */
export const templateDatabase = "emulator_template";

const startLimitMs = 60_000;

export class PostgresCluster implements AsyncDisposable {
  readonly #socketDirectory: string;
  readonly dataDirectory: string;
  readonly #stop: () => Promise<void>;

  private constructor(socketDirectory: string, stop: () => Promise<void>) {
    this.#socketDirectory = socketDirectory;
    this.dataDirectory = join(socketDirectory, "data");
    this.#stop = stop;
  }

  static async start({ fsync = false }: ClusterOptions = {}): Promise<PostgresCluster> {
    const programs = execFileSync("pg_config", ["--bindir"], { encoding: "utf8" }).trim();
    const directory = mkdtempSync(join(tmpdir(), "gwe-pg-"));
    const user = databaseUser();
    if (user) chownSync(directory, user.uid, user.gid);
    const data = join(directory, "data");
    execFileSync(
      join(programs, "initdb"),
      ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
      { ...user, cwd: directory, stdio: ["ignore", "ignore", "inherit"] },
    );
    const settings = {
      fsync,
      listen_addresses: "",
      unix_socket_directories: directory,
      max_connections: 200,
    };
    const server = spawn(
      join(programs, "postgres"),
      ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
      { ...user, cwd: directory, stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-10_000);
    });
    const ended = once(server, "exit");
    const cluster = new PostgresCluster(directory, async () => {
      // Fast shutdown: sessions are ended.
      server.kill("SIGINT");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    });
    const deadline = performance.now() + startLimitMs;
    for (;;) {
      try {
        await cluster.run("SELECT 1");
        return cluster;
      } catch (cause) {
        if (server.exitCode === null && performance.now() < deadline) {
          await delay(20);
          continue;
        }
        await cluster.stop();
        throw new ClusterError(`PostgreSQL did not start: ${said}`, { cause });
      }
    }
  }

  /** The URL of a database of this cluster. */
  url(database: string): string {
    return `postgres://postgres@/${database}?host=${encodeURIComponent(this.#socketDirectory)}`;
  }

  async run(sql: string, database = "postgres"): Promise<void> {
    await runSql(this.url(database), sql);
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

export async function runSql(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root. */
function databaseUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
