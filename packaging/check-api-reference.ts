/** Fails when the committed API reference is not what the docstrings say now: `npm run docs:api` brings it up to date. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const committed = join(root, "docs/api/device-client");
const fresh = mkdtempSync(join(tmpdir(), "gwe-api-reference-"));
try {
  const typedoc = join(root, "node_modules/typedoc/bin/typedoc");
  const options = ["--options", join(root, "packaging/typedoc.json"), "--out", fresh, "--logLevel", "Warn"];
  const { status } = spawnSync(process.execPath, [typedoc, ...options, "--treatWarningsAsErrors"], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(1);
  const stale = [...new Set([...readdirSync(fresh), ...readdirSync(committed)])].filter(
    (name) => textOf(join(fresh, name)) !== textOf(join(committed, name)),
  );
  if (stale.length > 0) {
    console.error(`docs/api/device-client is not up to date (${stale.join(", ")}): run 'npm run docs:api'`);
    process.exit(1);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // Not there: that is a difference.
  }
}
