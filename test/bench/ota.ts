import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";
import { noise } from "../support/download-scene.ts";
import type { EmulatedDevice } from "../support/emulated-device.ts";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { atMost, type Figure, median, medianInTurns, plain } from "./figures.ts";

const product = "bench";
const rounds = 5;
/** Already compressed or compiled: what does not get smaller. */
const binaries = { count: 200, bytes: 400_000 };
/** Scripts, modules, translations. */
const texts = { count: 4_000, bytes: 15_000 };

/**
 * A package of 100 MB from the emulator on loopback to "installed" in Murano, by a real daemon, beside what it takes to
 * fetch, hash, unpack and sync the same file by hand. All of it on a file system of its own, where that can be had, and
 * nothing is deleted in between: ext4 takes long to create files where many have just been deleted.
 */
export async function benchOta(): Promise<readonly Figure[]> {
  using disk = SmallDisk.make(8_000);
  if (disk === undefined) return measure();
  const before = process.env.TMPDIR;
  process.env.TMPDIR = disk.mount;
  try {
    return await measure();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

async function measure(): Promise<readonly Figure[]> {
  await using murano = await startTestEmulator();
  const device = await murano.addSerial(product, "ota-1");
  const packed = packageOfManyFiles();
  const sha256 = createHash("sha256").update(packed).digest("hex");
  const unpackedBytes = binaries.count * binaries.bytes + texts.count * texts.bytes;
  await using engine = new EngineProcess({
    serverUrl: murano.url,
    product,
    serial: "ota-1",
    engineConfig: [
      "check_in = long-poll",
      "update_interval = 86400",
      "kept_versions = 10",
      "kept_versions_mib = 4000",
    ],
  });
  engine.start();
  await eventually("a check-in", async () => (await engine.status())?.checkIn.lastSuccessAtMs ?? undefined);
  let growthBytes = 0;
  let writtenBytes = 0;
  const phases = new Map<string, number[]>();
  let version = 0;
  const medians = await medianInTurns(rounds, {
    byHand: () => fetchHashUnpackAndSync(murano, device),
    engine: async () => {
      version += 1;
      const name = `bulk.v${version}.tar.gz`;
      await murano.addContent(product, name, packed);
      const taken = await install({ device, engine, name, sha256, id: `order-${version}` });
      growthBytes = Math.max(growthBytes, taken.growthBytes);
      writtenBytes = Math.max(writtenBytes, taken.writtenBytes);
      for (const [phase, ms] of Object.entries(taken.phases)) {
        phases.set(phase, [...(phases.get(phase) ?? []), ms]);
      }
      return taken.ms;
    },
  });
  const size = `${(packed.length / 1e6).toFixed(0)} MB, ${binaries.count + texts.count} files`;
  return [
    plain(`curl | sha256sum, tar xzf, sync: ${size}`, `${medians.byHand.toFixed(0)} ms`),
    plain("engine_fetch written to fetch_status received", `${medians.engine.toFixed(0)} ms`),
    ...[...phases].map(([phase, ms]) =>
      plain(`  ${phase}, by the engine's log`, `${median(ms).toFixed(0)} ms`),
    ),
    atMost("installation ÷ by hand", medians.engine / medians.byHand, 1.5, "times"),
    atMost("peak growth of the daemon's resident memory, the worst run", growthBytes / 1e6, 40, "MB"),
    atMost(
      "bytes written ÷ (package + unpacked), the worst run",
      writtenBytes / (packed.length + unpackedBytes),
      1.2,
      "times",
    ),
  ];

  async function fetchHashUnpackAndSync(emulator: TestEmulator, owner: EmulatedDevice): Promise<number> {
    const directory = mkdtempSync(join(tmpdir(), "bench-ota-hand-"));
    await emulator.addContent(product, "by-hand.tar.gz", packed);
    const cik = /^cik *= *(\w{40})$/m.exec(readFileSync(engine.paths.gatewayCfg, "utf8"))?.[1];
    const url = `${emulator.url}/provision/download?vendor=${product}&model=${product}&id=by-hand.tar.gz`;
    const script = `set -e; cd ${directory}
        curl -sSf -K - '${url}' | tee package.tar.gz | sha256sum
        mkdir unpacked; tar xzf package.tar.gz -C unpacked
        sync -f unpacked`;
    const startedMs = performance.now();
    const shell = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "inherit"] });
    shell.stdin.end(`header = "X-Exosite-CIK: ${cik}"\n`);
    const status = await new Promise((resolve) => shell.once("close", resolve));
    if (status !== 0) throw new TypeError(`by hand: ${status} for ${owner.sn}`);
    const ms = performance.now() - startedMs;
    settle();
    return ms;
  }
}

interface Taken {
  readonly ms: number;
  readonly growthBytes: number;
  readonly writtenBytes: number;
  /** Milliseconds from entering each of these to leaving it, by the engine's log. */
  readonly phases: Readonly<Record<(typeof told)[number], number>>;
}

const told = ["downloading", "verifying", "unpacking"] as const;

function phasesIn(log: string): Taken["phases"] {
  const at = (move: string): number => {
    const line = log.split("\n").find((text) => text.includes(` ${move} `)) ?? "";
    return Date.parse(line.split(" ", 1)[0] ?? "");
  };
  const phases = told.map((phase) => [phase, at(`from=${phase}`) - at(`to=${phase}`)]);
  return Object.fromEntries(phases) as Taken["phases"];
}

async function install(order: {
  readonly device: EmulatedDevice;
  readonly engine: EngineProcess;
  readonly name: string;
  readonly sha256: string;
  readonly id: string;
}): Promise<Taken> {
  const { device, engine, name, sha256, id } = order;
  const pid = engine.pid ?? 0;
  // The high-water mark begins anew.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const residentBytes = memoryBytes(pid, "VmRSS");
  const writtenBytes = writtenBy(pid);
  const logged = engine.output.length;
  const startedMs = performance.now();
  await device.write("engine_fetch", JSON.stringify({ id, install: [{ name, sha256 }] }));
  const value = await device.waitForValue("fetch_status", (text) => text.includes(`"${id}"`), 120_000);
  const ms = performance.now() - startedMs;
  if (!value.includes('"installed"')) throw new TypeError(value);
  settle();
  return {
    ms,
    growthBytes: memoryBytes(pid, "VmHWM") - residentBytes,
    writtenBytes: writtenBy(pid) - writtenBytes,
    phases: phasesIn(engine.output.slice(logged)),
  };
}

/** What a process made the kernel write, its ended children included: so the kernel counts, when it reaps them. */
function writtenBy(pid: number): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1] ?? 0);
}

function memoryBytes(pid: number, name: string): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
}

/** What one run leaves to be written must not be the next one's burden. */
function settle(): void {
  execFileSync("sync", ["-f", tmpdir()]);
}

function packageOfManyFiles(): Uint8Array<ArrayBuffer> {
  const directory = mkdtempSync(join(tmpdir(), "bench-ota-"));
  try {
    const tree = join(directory, "tree");
    const random = noise(binaries.count * binaries.bytes);
    for (let index = 0; index < binaries.count; index++) {
      const parent = join(tree, `lib/part${index % 20}`);
      mkdirSync(parent, { recursive: true });
      const start = index * binaries.bytes;
      writeFileSync(join(parent, `module${index}.so`), random.subarray(start, start + binaries.bytes));
    }
    const words = seededRandom(20_261_126);
    for (let index = 0; index < texts.count; index++) {
      const parent = join(tree, `share/pack${index % 100}`);
      mkdirSync(parent, { recursive: true });
      writeFileSync(join(parent, `text${index}.js`), prose(words, texts.bytes));
    }
    writeFileSync(join(tree, "install.sh"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    const file = join(directory, "package.tar.gz");
    execFileSync("tar", ["czf", file, "-C", tree, "."]);
    execFileSync("sync", ["-f", directory]);
    const bytes = new Uint8Array(statSync(file).size);
    bytes.set(readFileSync(file));
    return bytes;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Text that gzip makes a third of, as it does of program text. */
function prose(random: () => number, bytes: number): string {
  let text = "";
  while (text.length < bytes) {
    const word = Math.floor(random() * 4_000).toString(36);
    text += `${word}${random() < 0.2 ? "();\n" : " = "}`;
  }
  return text.slice(0, bytes);
}
