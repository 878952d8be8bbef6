import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../../support/run-command.ts";

/** Everything that importing a module loads at once, dynamic imports left out. */
function loadedAtOnce(file: string, seen = new Set<string>()): ReadonlySet<string> {
  const source = readFileSync(file, "utf8");
  for (const [, clause = "", target = ""] of source.matchAll(
    /^(?:import|export)\s([^;]*?from\s)?"([^"]+)"/gm,
  )) {
    if (clause.startsWith("type ")) continue;
    const path = target.startsWith(".") ? join(dirname(file), target) : target;
    const name = target.startsWith(".") ? relative(repositoryRoot, path) : target;
    if (seen.has(name)) continue;
    seen.add(name);
    if (target.startsWith(".") && path.endsWith(".ts")) loadedAtOnce(path, seen);
  }
  return seen;
}

describe("what a command loads before it knows what to do", () => {
  it("is next to nothing for gwe, so that 'gwe --gateway-cik' answers at once", () => {
    expect([...loadedAtOnce(join(repositoryRoot, "src/cli/gwe.ts"))].sort()).toEqual([
      "src/core/cik.ts",
      "src/core/errors.ts",
      "src/core/ini.ts",
      "src/core/paths.ts",
      "src/core/redact.ts",
    ]);
  });

  it("holds neither the engine nor native addons nor HTTP for a gwe option", () => {
    const loaded = [...loadedAtOnce(join(repositoryRoot, "src/cli/gwe-command.ts"))];
    expect(loaded).toContain("zod/mini");
    expect(
      loaded.filter((name) => /^(node:https?|zod|better-sqlite3)$|daemon|device-client/.test(name)),
    ).toEqual([]);
  });
});
