/**
 * `npm run test:kills [-- --n N --seed S]`: a real engine with a real pm2, fed with orders of every kind by a local Murano,
 * is killed (SIGKILL) N times at random moments. Prints each kill, and what was checked. What it proves: docs/proofs.md.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";
import { Gateway } from "../integration/engine/gateway.ts";
import { aliveOf, longRunning, oneOff, runsOf } from "../integration/engine/packages.ts";
import { noise } from "../support/download-scene.ts";
import { eventually } from "../support/engine-process.ts";
import type { PackageFile } from "../support/package-tarball.ts";

const { values } = parseArgs({
  options: { n: { type: "string", default: "500" }, seed: { type: "string", default: "20261126" } },
});
const kills = Number(values.n);
const random = seededRandom(Number(values.seed));

/**
 * When a kill comes: so long after the start's log has that many lines. On a slow machine that is later, and the same
 * moment in the engine's life.
 */
interface Moment {
  readonly lines: number;
  readonly afterMs: number;
}

type Kind = "good" | "bad installer" | "unhealthy" | "does not start" | "one-off";

interface Order {
  readonly id: string;
  readonly kind: Kind;
  readonly app: string;
  readonly version: string;
}

/** What an order of a kind may come to. */
const allowed: Readonly<Record<Kind, readonly string[]>> = {
  // An installer or a probation that the engine's end cuts short again and again counts as failed.
  good: ["installed", "rolled-back"],
  "bad installer": ["rolled-back"],
  unhealthy: ["rolled-back"],
  "does not start": ["rolled-back"],
  "one-off": ["installed", "interrupted"],
};

class ViolationError extends Error {
  override readonly name = "ViolationError";
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new ViolationError(what);
}

class Trial {
  private readonly gateway: Gateway;
  private readonly marks: string;
  private running = "1";
  private serial = 1;
  private order: Order | undefined;
  private bystander = 0;
  readonly outcomes = new Map<string, number>();

  constructor(gateway: Gateway) {
    this.gateway = gateway;
    this.marks = join(gateway.engine.home, "one-offs");
  }

  async begin(): Promise<void> {
    const { gateway } = this;
    for (const name of ["still", "meter"]) {
      await gateway.upload(`${name}.v1.tar.gz`, longRunning(gateway.engine, name, "1"));
    }
    await gateway.install("still.v1.tar.gz", "meter.v1.tar.gz");
    this.bystander = (await gateway.engine.running("still")).pid;
    await gateway.engine.running("meter", "1");
    await gateway.engine.end("SIGKILL");
  }

  /** One start and its end; answers what the engine was at. */
  async kill({ lines, afterMs }: Moment): Promise<string> {
    const { engine } = this.gateway;
    await this.examine();
    const seen = engine.output.length;
    engine.start();
    await eventually(
      `${lines} lines`,
      () => {
        const log = engine.output.slice(seen);
        // With nothing left to do it says no more.
        return log.split("\n").length > lines || log.includes('"fetch_status"') || !engine.isRunning;
      },
      60_000,
    );
    await delay(afterMs);
    must(engine.isRunning, `the engine ended by itself: ${engine.output.slice(seen).slice(-3_000)}`);
    await engine.end("SIGKILL");
    runsOf(engine, "meter");
    must(this.pidsOf("still")[0] === this.bystander, "an app that no order touches was restarted");
    const log = engine.output.slice(seen);
    return [...log.matchAll(/ to=(\S+) verb/g)].at(-1)?.[1] ?? (log === "" ? "starting" : "up");
  }

  /** A start that is left alone: all that is owed is done. */
  async finish(): Promise<void> {
    const { engine } = this.gateway;
    await this.gateway.start();
    const { order } = this;
    if (order !== undefined) await this.gateway.result(order.id, 60_000);
    await this.examine();
    await eventually("everything to be tidy", () => readdirSync(engine.paths.packagesDir).length === 0);
    for (const app of readdirSync(engine.paths.appsDir)) {
      const left = readdirSync(join(engine.paths.appsDir, app)).filter((name) => name.startsWith("."));
      must(left.length === 0, `half-unpacked: ${app}/${left.join(", ")}`);
    }
  }

  private pidsOf(app: string): readonly number[] {
    return aliveOf(this.gateway.engine, app).map(({ pid }) => pid);
  }

  /** Looks at the order's result, where it has come, and gives the next one. */
  private async examine(): Promise<void> {
    const { order } = this;
    if (order !== undefined) {
      const reports = (await this.gateway.results()).filter(({ id }) => id === order.id);
      const [report] = reports;
      if (report === undefined) return;
      const texts = new Set(reports.map((told) => JSON.stringify(told)));
      must(texts.size === 1, `${order.id} was told in two ways: ${[...texts].join(" ")}`);
      this.judge(order, report.apps[0]?.status ?? "", report.apps[0]?.output ?? "");
    }
    // What a start has not lived long enough to take is still there.
    if ((await this.gateway.device.latest("engine_fetch")) === "") this.order = await this.next();
  }

  private judge({ id, kind, version }: Order, status: string, output: string): void {
    const key = `${kind}: ${status}`;
    this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1);
    must(allowed[kind].includes(status), `${id}, ${kind}, came to ${status}: ${output}`);
    if (kind === "one-off") {
      const ran = existsSync(this.marks) ? readFileSync(this.marks, "utf8").trim().split("\n") : [];
      const times = ran.filter((mark) => mark === version).length;
      must(times <= 1 && (status !== "installed" || times === 1), `the one-off ${id} ran ${times} times`);
    } else if (status === "installed") {
      this.running = version;
    }
    const alive = aliveOf(this.gateway.engine, "meter");
    const told = alive.map((run) => run.version).join(", ");
    must(alive.length === 1 && told === this.running, `version ${this.running} should run, and ${told} does`);
    this.order = undefined;
  }

  private async next(): Promise<Order> {
    this.serial += 1;
    const version = String(this.serial);
    const kind = pick(random());
    const app = kind === "one-off" ? "note" : "meter";
    const name = `${app}.v${version}.tar.gz`;
    await this.gateway.upload(name, this.contentOf(kind, version));
    return { id: await this.gateway.order(name), kind, app, version };
  }

  private contentOf(kind: Kind, version: string): Readonly<Record<string, PackageFile>> {
    const { engine } = this.gateway;
    if (kind === "one-off") return { ...oneOff(`echo ${version} >> ${this.marks}; sleep 0.1`), ...bulk };
    const script = kind === "bad installer" ? "sleep 0.1; exit 3" : "sleep 0.1";
    const files = { ...longRunning(engine, "meter", version, script), ...bulk };
    const health = { content: `#!/bin/sh\nexit ${kind === "unhealthy" ? 1 : 0}\n`, mode: 0o755 };
    const isBroken = kind === "does not start";
    return {
      ...files,
      health,
      ...(isBroken && {
        "supervisor.conf": { content: "[supervisord]\ncommand=/nonexistent\nstartretries=0\n" },
      }),
    };
  }
}

/** Enough for unpacking to take a while. */
const bulk: Readonly<Record<string, PackageFile>> = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [`data-${index}`, { content: noise(20_000).toString("hex") }]),
);

function pick(chance: number): Kind {
  if (chance < 0.5) return "good";
  if (chance < 0.62) return "bad installer";
  if (chance < 0.74) return "unhealthy";
  if (chance < 0.84) return "does not start";
  return "one-off";
}

const gateway = await Gateway.running({
  engineConfig: ["check_in = long-poll", "probation = 1"],
});
const startedMs = performance.now();
const phases = new Map<string, number>();
let done = 0;
try {
  const trial = new Trial(gateway);
  await trial.begin();
  for (; done < kills; done++) {
    const lines = Math.floor(random() * 20);
    const afterMs = Math.floor(random() * 200);
    const phase = await trial.kill({ lines, afterMs });
    phases.set(phase, (phases.get(phase) ?? 0) + 1);
    console.log(
      `kill ${done + 1} of ${kills}, seed ${values.seed}: ${afterMs} ms after ${lines} lines, ${phase}`,
    );
  }
  await trial.finish();
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(`\nkilled at: ${list(phases)}`);
  console.log(`orders: ${list(trial.outcomes)}`);
  console.log(`${kills} kills with seed ${values.seed} in ${seconds} s: nothing violated`);
} catch (error) {
  process.exitCode = 1;
  console.error(`VIOLATION after ${done} kills with seed ${values.seed}:`, error);
  console.error(gateway.engine.output.slice(-6_000));
} finally {
  await gateway[Symbol.asyncDispose]();
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${what} ${count}`).join(", ");
}
