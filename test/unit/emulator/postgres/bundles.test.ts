import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const dist = join(import.meta.dirname, "../../../../dist");

/** A bundle with all chunks that it loads, at once or later. */
function chunksOf(name: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, chunk = ""] of readFileSync(join(dist, name), "utf8").matchAll(/["']\.\/([\w-]+\.js)["']/g)) {
    chunksOf(chunk, seen);
  }
  return seen;
}

const speaksPostgres = (name: string) => readFileSync(join(dist, name), "utf8").includes("SCRAM-SHA-256");

test("only the emulator has the PostgreSQL driver, and loads it only for who uses it", () => {
  for (const program of ["gwe.js", "gdc.js", "gmq.js", "logd.js", "device-client.js"]) {
    expect([...chunksOf(program)].filter(speaksPostgres), program).toEqual([]);
  }
  const driver = [...chunksOf("murano-emulator.js")].filter(speaksPostgres);
  expect(driver).not.toEqual([]);
  expect(driver).not.toContain("murano-emulator.js");
});
