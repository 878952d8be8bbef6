import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extract } from "tar";
import { expect, it } from "vitest";
import { makeSupportBundle } from "../../../src/cli/gwe-support-bundle.ts";
import { silentLogger } from "../../../src/core/logger.ts";
import { openDatabase } from "../../../src/platform/sqlite.ts";
import { queueMigrations } from "../../../src/queue/index.ts";
import { callCommand } from "../../support/command-in-process.ts";
import { controlServer, engineStatus } from "../../support/control-server.ts";
import { gweHome } from "../../support/gwe-home.ts";

const cik = "3803226073f6f2feb51a9010bd1d3e53143214a7";
const appsCik = "a9010bd1d3e531432140000000000000000014a7";

it("holds logs and state, for its owner alone, and no secret", async () => {
  using home = gweHome();
  const { paths } = home;
  home.gatewayCfg(
    `[device]\nvendor = abc\nmodel = abc\nuuid = SN:1\ncik = ${cik}\nserver_url = http://127.0.0.1:9\n`,
  );
  home.engineConfig("[engine]\ndebug_level = LOUD\n");
  for (const directory of [paths.logDir, join(paths.appsDir, "meter")])
    mkdirSync(directory, { recursive: true });
  writeFileSync(paths.engineLog, `started\ncik ${cik}glued\n`);
  writeFileSync(join(paths.logDir, "meter.log"), `line\nGET / ${appsCik}\nmqtt_password=hunter2\n`);
  writeFileSync(join(paths.logDir, "other-program.log"), "none of ours\n");
  const { db } = openDatabase({
    file: paths.queueDb,
    migrations: queueMigrations,
    logger: silentLogger,
    now: Date.now,
  });
  db.prepare("INSERT INTO ciks VALUES (?, 1)").run("an-odd-cik-of-an-app");
  db.close();
  writeFileSync(join(paths.pm2Home.replace(/pm2$/, ""), "note"), "");
  await using _ = await controlServer(paths.controlSocket, () => ({
    status: 200,
    body: { ...engineStatus(), extra: "an-odd-cik-of-an-app" },
  }));
  const file = join(home.home, "bundle.tar.gz");
  const result = await callCommand(makeSupportBundle, ["-o", file], paths);
  expect(result).toMatchObject({ status: 0, stdout: `${file}\n` });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const there = join(home.home, "unpacked");
  mkdirSync(there);
  await extract({ file, cwd: there });
  const [top = ""] = readdirSync(there);
  expect(top).toMatch(/^gwe-support-SN1-\d{8}T\d{6}Z$/);
  const names = readdirSync(join(there, top), { recursive: true, encoding: "utf8" });
  const text = (name: string): string => readFileSync(join(there, top, name), "utf8");
  expect(text("config/Gateway.cfg")).toContain("cik = [redacted]");
  expect(text("config/Engine.config")).toContain("debug_level = LOUD");
  expect(text("doctor.txt")).toContain("debug_level");
  expect(text("logs/gwe.log")).toBe("started\ncik [redacted]glued\n");
  expect(text("logs/apps/meter.log")).toBe("line\nGET / [redacted]\nmqtt_password=[redacted]\n");
  expect(text("status.json")).toContain("FF:10:C2:9B:A8:46");
  expect(names).not.toContain("logs/apps/other-program.log");
  const all = names
    .filter((name) => /\.(txt|json|log|cfg|config|conf)$/.test(name))
    .map(text)
    .join("\n");
  for (const secret of [cik, appsCik, "hunter2", "an-odd-cik-of-an-app"]) expect(all).not.toContain(secret);
});
