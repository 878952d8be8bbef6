import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { stripElf } from "../../../packaging/release/strip-elf.ts";

it("makes Node itself a tenth smaller, and it runs", () => {
  const directory = mkdtempSync(join(tmpdir(), "gwe-strip-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const original = readFileSync(process.execPath);
  const stripped = stripElf(original);
  expect(stripped.length).toBeLessThan(original.length * 0.9);
  const file = join(directory, "node");
  writeFileSync(file, stripped);
  chmodSync(file, 0o755);
  const { stdout } = spawnSync(file, ["-p", "fetch.name + process.version"], { encoding: "utf8" });
  expect(stdout).toBe(`fetch${process.version}\n`);
});

it("refuses what is no such file", () => {
  expect(() => stripElf(Buffer.alloc(64))).toThrow("not a 64-bit little-endian ELF file");
});
