import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { seededRandom } from "../../../src/emulator/faults/seeded-random.ts";
import { goodInstallScript, goodSupervisorConf, type RawMember, rawTar } from "../ota-archives.ts";

/** Tar archives of every dialect that developers' programs write, as the ground that mutations start from. */
export function baseArchives(): readonly Buffer[] {
  const directory = mkdtempSync(join(tmpdir(), "gwe-fuzz-base-"));
  try {
    const tree = join(directory, "tree");
    const deep = join(tree, "a-directory-with-a-name".repeat(4), "another-one".repeat(9));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(tree, "install.sh"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(tree, "supervisor.conf"), "[supervisord]\ncommand=/bin/true\n");
    writeFileSync(join(deep, "file"), "x".repeat(1_500));
    writeFileSync(join(tree, "ünïcode"), "y");
    linkSync(join(tree, "install.sh"), join(tree, "hard"));
    symlinkSync("install.sh", join(tree, "soft"));
    const file = join(directory, "base.tar");
    const formats = ["gnu", "oldgnu", "pax", "posix", "ustar", "v7"];
    const packed = formats.flatMap((format) => {
      try {
        execFileSync("tar", ["cf", file, `--format=${format}`, "-C", tree, "."], { stdio: "pipe" });
        return [readFileSync(file)];
      } catch {
        return []; // A dialect that cannot say all of it.
      }
    });
    return [...packed, rawTar([goodInstallScript, goodSupervisorConf, ...odd])];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const odd: readonly RawMember[] = [
  { name: "x", type: "x", content: "20 path=pax/name\n\n" },
  { name: "plain", content: "x".repeat(700) },
  { name: "././@LongLink", type: "L", content: `${"long/".repeat(40)}name\0` },
  { name: "long", content: "x" },
  { name: "g", type: "g", content: "18 comment=global\n" },
  { name: "d/", type: "5", mode: 0o755 },
  { name: "d/l", type: "2", target: "../plain" },
];

export interface Mutated {
  readonly content: Buffer;
  /** What was done, for a report. */
  readonly how: readonly string[];
}

type Random = () => number;

/** The mutated package of a seed: always the same. */
export function mutatedPackage(seed: number, bases: readonly Buffer[]): Mutated {
  const random = seededRandom(seed);
  // The first numbers of neighbouring seeds are neighbours.
  for (let skipped = 0; skipped < 8; skipped++) random();
  let tar: Buffer = Buffer.from(bases[below(random, bases.length)] ?? Buffer.alloc(0));
  const how: string[] = [];
  for (let left = 1 + below(random, 4); left > 0; left--) {
    const [name, mutate] = tarMutations[below(random, tarMutations.length)] ?? [
      "none",
      (data: Buffer) => data,
    ];
    tar = mutate(tar, random);
    how.push(name);
  }
  if (random() < 0.7) tar = withTrueSums(tar);
  let content: Buffer = gzipSync(tar, { level: 1 });
  if (random() < 0.25) {
    const [name, mutate] = gzipMutations[below(random, gzipMutations.length)] ?? [
      "none",
      (data: Buffer) => data,
    ];
    content = mutate(content, random);
    how.push(name);
  }
  return { content, how };
}

const hostileNames = [
  "../escaped",
  "/tmp/gwe-escaped",
  "a/../../escaped",
  "./././",
  "",
  "soft/x",
  "\xff\xfe",
  "a//b",
];
const hostileNumbers = [
  "77777777777\0",
  "-0000000001\0",
  "           \0",
  "zzzzzzzzzzz\0",
  "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
];
const types = "\u00000123456789ABDEKLMNSVXgx";

const tarMutations: readonly (readonly [string, (tar: Buffer, random: Random) => Buffer])[] = [
  [
    "bytes",
    (tar, random) =>
      edited(tar, () => {
        for (let n = 1 + below(random, 8); n > 0; n--) tar[below(random, tar.length)] = below(random, 256);
      }),
  ],
  [
    "bit",
    (tar, random) =>
      edited(tar, () => {
        const at = below(random, tar.length);
        tar[at] = (tar[at] ?? 0) ^ (1 << below(random, 8));
      }),
  ],
  ["cut", (tar, random) => tar.subarray(0, below(random, tar.length))],
  [
    "drop blocks",
    (tar, random) => {
      const [from, to] = blocks(tar, random);
      return Buffer.concat([tar.subarray(0, from), tar.subarray(to)]);
    },
  ],
  [
    "repeat blocks",
    (tar, random) => {
      const [from, to] = blocks(tar, random);
      return Buffer.concat([tar.subarray(0, to), tar.subarray(from, to), tar.subarray(to)]);
    },
  ],
  ["name", (tar, random) => inHeader(tar, random, 0, 100, hostileNames)],
  ["target", (tar, random) => inHeader(tar, random, 157, 100, hostileNames)],
  ["type", (tar, random) => inHeader(tar, random, 156, 1, [...types])],
  ["size", (tar, random) => inHeader(tar, random, 124, 12, hostileNumbers)],
  ["mode", (tar, random) => inHeader(tar, random, 100, 8, ["0007777\0", "0000000\0", "zzzzzzz\0"])],
  ["mtime", (tar, random) => inHeader(tar, random, 136, 12, hostileNumbers)],
  ["prefix", (tar, random) => inHeader(tar, random, 345, 155, hostileNames)],
  [
    "rubbish in front",
    (tar, random) => Buffer.concat([Buffer.alloc(512 * below(random, 3), random() < 0.5 ? 0 : 0x41), tar]),
  ],
];

const gzipMutations: readonly (readonly [string, (data: Buffer, random: Random) => Buffer])[] = [
  [
    "gzip bytes",
    (data, random) =>
      edited(data, () => {
        for (let n = 1 + below(random, 4); n > 0; n--) data[below(random, data.length)] = below(random, 256);
      }),
  ],
  ["gzip cut", (data, random) => data.subarray(0, below(random, data.length))],
  ["gzip twice in a row", (data) => Buffer.concat([data, data])],
  ["gzip and rubbish", (data, random) => Buffer.concat([data, Buffer.alloc(1 + below(random, 600), 0x2a)])],
  [
    "gzip flags",
    (data, random) =>
      edited(data, () => {
        data[3] = below(random, 256);
      }),
  ],
];

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function edited(data: Buffer, edit: () => void): Buffer {
  if (data.length > 0) edit();
  return data;
}

function blocks(tar: Buffer, random: Random): readonly [number, number] {
  const count = Math.ceil(tar.length / 512);
  const from = below(random, count);
  return [from * 512, Math.min(tar.length, (from + 1 + below(random, 4)) * 512)];
}

function headersOf(tar: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at + 512 <= tar.length; at += 512) {
    if (tar.toString("latin1", at + 257, at + 262) === "ustar" || at === 0) found.push(at);
  }
  return found;
}

function inHeader(
  tar: Buffer,
  random: Random,
  at: number,
  length: number,
  values: readonly string[],
): Buffer {
  const headers = headersOf(tar);
  const header = headers[below(random, headers.length)];
  if (header === undefined) return tar;
  tar.fill(0, header + at, header + at + length);
  tar.write(values[below(random, values.length)] ?? "", header + at, length, "latin1");
  return tar;
}

/** Else most mutated headers would be refused for their sum, and none of the rest of the code be met. */
function withTrueSums(tar: Buffer): Buffer {
  for (const header of headersOf(tar)) {
    tar.fill(0x20, header + 148, header + 156);
    let sum = 0;
    for (let at = header; at < header + 512; at++) sum += tar[at] ?? 0;
    tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, header + 148, "latin1");
  }
  return tar;
}
