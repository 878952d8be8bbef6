import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ensureDirectory, writeFileAtomic } from "../../../src/platform/files.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const module = JSON.stringify(join(import.meta.dirname, "../../../src/platform/files.ts"));
const strace = "strace";
const hasStrace = spawnSync(strace, ["-e", "trace=none", "true"]).status === 0;

/** The file-changing calls that a call makes, in order: `fsync <name>`, `rename`. */
function trace(directory: string, call: string): readonly string[] {
  const log = join(directory, "trace");
  const program = `import { ensureDirectory, writeFileAtomic } from ${module}; ${call}`;
  const node = [process.execPath, "--input-type=module", "--eval", program];
  const args = ["-f", "-y", "-o", log, "-e", "trace=fsync,rename,renameat,renameat2", ...node];
  expect(spawnSync(strace, args, { encoding: "utf8" }).stderr).toBe("");
  return readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line) => /(?:^|\s)(fsync\(\d+<[^>]*>|rename)/.exec(line)?.[1] ?? [])
    .map((text) => text.replace(/^fsync\(\d+<(.*)>$/, "fsync $1").replace(/\.[0-9a-f]{12}\.tmp$/, ".tmp"));
}

describe("replacing a file", () => {
  it("keeps mode and owner of the one that is there, and leaves nothing else behind", () => {
    const directory = temporaryDirectory();
    const file = join(directory, "Engine.config");
    writeFileSync(file, "old");
    chmodSync(file, 0o604);
    writeFileAtomic(file, "new", { mode: 0o600 });
    expect(readFileSync(file, "utf8")).toBe("new");
    expect(statSync(file).mode & 0o777).toBe(0o604);
    expect(readdirSync(directory)).toEqual(["Engine.config"]);
  });

  it("gives a new file, and one of secrets, the mode asked for, whatever the mask", () => {
    const directory = temporaryDirectory();
    const before = process.umask(0o077);
    try {
      writeFileAtomic(join(directory, "new"), "x", { mode: 0o644 });
      writeFileSync(join(directory, "secret"), "x", { mode: 0o666 });
      writeFileAtomic(join(directory, "secret"), "y", { mode: 0o640, enforceMode: true });
    } finally {
      process.umask(before);
    }
    expect(statSync(join(directory, "new")).mode & 0o777).toBe(0o644);
    expect(statSync(join(directory, "secret")).mode & 0o777).toBe(0o640);
  });

  it("replaces what a link leads to, and keeps the link", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "real"), "old");
    symlinkSync("real", join(directory, "link"));
    writeFileAtomic(join(directory, "link"), "new");
    expect(lstatSync(join(directory, "link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(directory, "real"), "utf8")).toBe("new");
  });

  it("leaves the old file and no other when it fails", () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "taken"));
    expect(() => writeFileAtomic(join(directory, "taken"), "x")).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(directory)).toEqual(["taken"]);
  });

  it("removes what a power cut left of an earlier write, and nothing of one under way", () => {
    const directory = temporaryDirectory();
    const leave = (name: string, ageMs: number): void => {
      writeFileSync(join(directory, name), "secret");
      const time = new Date(Date.now() - ageMs);
      utimesSync(join(directory, name), time, time);
    };
    leave(".Gateway.cfg.0123456789ab.tmp", 3_600_000);
    leave(".Gateway.cfg.not-of-ours.tmp", 3_600_000);
    leave(".Gateway.cfg.abcdefabcdef.tmp", -86_400_000);
    leave(".Gateway.cfg.ba9876543210.tmp", 1_000);
    leave(".Other.cfg.0123456789ab.tmp", 3_600_000);
    writeFileAtomic(join(directory, "Gateway.cfg"), "new");
    expect(readdirSync(directory).sort()).toEqual([
      ".Gateway.cfg.ba9876543210.tmp",
      ".Gateway.cfg.not-of-ours.tmp",
      ".Other.cfg.0123456789ab.tmp",
      "Gateway.cfg",
    ]);
  });

  it.runIf(hasStrace)("syncs the content before the rename and the directory after it", () => {
    const directory = temporaryDirectory();
    const calls = trace(directory, `writeFileAtomic(${JSON.stringify(join(directory, "a"))}, "x")`);
    expect(calls).toEqual([`fsync ${directory}/.a.tmp`, "rename", `fsync ${directory}`]);
  });
});

describe("creating a directory", () => {
  it("gives every new one the mode asked for, whatever the mask, and leaves what is there alone", () => {
    const directory = temporaryDirectory();
    const before = process.umask(0o077);
    try {
      ensureDirectory(join(directory, "a/b"), 0o755);
    } finally {
      process.umask(before);
    }
    expect(statSync(join(directory, "a")).mode & 0o777).toBe(0o755);
    expect(statSync(join(directory, "a/b")).mode & 0o777).toBe(0o755);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it.runIf(hasStrace)("syncs every new one up to the first that existed", () => {
    const directory = temporaryDirectory();
    const calls = trace(directory, `ensureDirectory(${JSON.stringify(join(directory, "a/b"))})`);
    expect(calls).toEqual([`fsync ${directory}/a/b`, `fsync ${directory}/a`, `fsync ${directory}`]);
  });
});
