import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { prepareImage } from "../../../src/cli/gwe-prepare-image.ts";
import { loadConfig, readCik } from "../../../src/config/index.ts";
import { silentLogger } from "../../../src/core/logger.ts";
import { gatewayMigrations } from "../../../src/daemon/gateway-migrations.ts";
import { acquireInstanceLock } from "../../../src/platform/instance-lock.ts";
import { openDatabase } from "../../../src/platform/sqlite.ts";
import { queueMigrations } from "../../../src/queue/index.ts";
import { callCommand } from "../../support/command-in-process.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";

const cik = "3803226073f6f2feb51a9010bd1d3e53143214a7";
const serial = "00:1B:44:11:3A:B7";

/** A gateway that has lived: activated, an app installed, reports and records waiting. */
function usedGateway(): GweHome {
  const home = gweHome();
  onTestFinished(() => home[Symbol.dispose]());
  const { paths } = home;
  home.gatewayCfg(
    `# by hand\n[device]\nvendor = abc\nmodel = abc\nuuid = ${serial}\niface = eth0\ncik = ${cik}\n`,
  );
  const files = {
    [join(paths.appsDir, "meter/1.0/state.json")]: JSON.stringify({ cik }),
    [join(paths.logDir, "meter.log")]: serial,
    [join(paths.logDir, "gwe.log.1")]: serial,
    [join(paths.logDir, "metering.log")]: "another program's",
    [join(paths.packagesDir, "meter.v1.0.tar.gz")]: "",
    [join(paths.pm2Home, "pm2.log")]: serial,
    [join(paths.etcDir, ".cik-before-configure")]: cik,
    [join(paths.runDir, "apps/meter/state")]: "x",
    [`${paths.gatewayDb}.corrupt-1`]: cik,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  }
  const { db } = openDatabase({
    file: paths.gatewayDb,
    migrations: gatewayMigrations,
    logger: silentLogger,
    now: Date.now,
  });
  db.prepare("INSERT INTO outbox (alias, key, value) VALUES ('fetch_status', 'a', ?)").run(cik);
  db.prepare("INSERT INTO engine_facts VALUES ('cursor', '1')").run();
  db.exec(
    `INSERT INTO supervised_apps (name, version, kind, directory, wanted, generation, installed_at, wanted_since)
       VALUES ('meter', '1.0', 'long-running', '/x', 'running', 7, 0, 0);
     UPDATE supervisor_generation SET last = 7;
     INSERT INTO ota_commands VALUES (1, 'a', NULL, NULL, '', 'local', 0, '[]', 0, 0, 1);
     INSERT INTO ota_jobs (id, command, app, version, state, transitions, ended) VALUES (41, 1, 'meter', '1.0', '{}', 9, 1);
     INSERT INTO ota_versions VALUES ('/x', 'meter', '1.0', 41, 1);`,
  );
  db.close();
  const queue = openDatabase({
    file: paths.queueDb,
    migrations: queueMigrations,
    logger: silentLogger,
    now: Date.now,
  }).db;
  queue.prepare("INSERT INTO ciks VALUES (?, 1)").run(cik);
  queue.close();
  return home;
}

describe("gwe prepare-image", () => {
  it("erases what is this gateway's own, and keeps what its clones are to have", async () => {
    const { home, paths } = usedGateway();
    const result = await callCommand(prepareImage, ["--yes"], paths);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(readCik(paths.gatewayCfg)).toBeUndefined();
    expect(loadConfig(paths).device).toMatchObject({ vendor: "abc", serial: undefined, iface: "eth0" });
    expect(readFileSync(paths.gatewayCfg, "utf8")).toContain("# by hand");
    const left = readdirSync(home, { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const traces = left.filter(
      (file) => readFileSync(file).includes(cik) || readFileSync(file).includes(serial),
    );
    // The application's own: named, not touched.
    expect(traces).toEqual([join(paths.appsDir, "meter/1.0/state.json")]);
    expect(result.stdout).toContain(traces[0]);
    expect(left).toContain(join(paths.logDir, "metering.log"));
    expect(existsSync(paths.queueDb)).toBe(false);
    expect(existsSync(paths.pm2Home)).toBe(false);
  });

  it("leaves the applications installed, and no number of a job to be given out twice", async () => {
    const { paths } = usedGateway();
    await callCommand(prepareImage, ["--yes"], paths);
    const { db } = openDatabase({
      file: paths.gatewayDb,
      migrations: gatewayMigrations,
      logger: silentLogger,
      now: Date.now,
    });
    onTestFinished(() => void db.close());
    const all = (sql: string): unknown[] => db.prepare(sql).raw().all();
    expect(all("SELECT name, version, generation FROM supervised_apps")).toEqual([["meter", "1.0", 7]]);
    expect(all("SELECT last FROM supervisor_generation")).toEqual([[7]]);
    expect(all("SELECT directory, job FROM ota_versions")).toEqual([["/x", 41]]);
    expect(all("SELECT seq FROM sqlite_sequence WHERE name = 'ota_jobs'")).toEqual([[41]]);
    for (const table of ["outbox", "engine_facts", "ota_commands", "ota_jobs"])
      expect(all(`SELECT * FROM ${table}`)).toEqual([]);
  });

  it("may be repeated, and on a gateway that never ran", async () => {
    const { paths } = usedGateway();
    await callCommand(prepareImage, ["--yes"], paths);
    expect(await callCommand(prepareImage, ["--yes"], paths)).toMatchObject({ status: 0 });
    using fresh = gweHome();
    const result = await callCommand(prepareImage, ["--yes"], fresh.paths);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).toContain("set an interface");
  });

  it("touches nothing while an engine runs, while a job has not ended, or without a yes", async () => {
    const { paths } = usedGateway();
    const refused = async (args: readonly string[], input = ""): Promise<string> => {
      const { status, stderr } = await callCommand(prepareImage, args, paths, input);
      expect(status).toBe(1);
      expect(readCik(paths.gatewayCfg)).toBe(cik);
      return stderr;
    };
    expect(await refused([], "n\n")).toContain("left as it was");
    expect(await refused([])).toContain("--yes asks nothing");
    const { db } = openDatabase({
      file: paths.gatewayDb,
      migrations: gatewayMigrations,
      logger: silentLogger,
      now: Date.now,
    });
    db.exec("UPDATE ota_jobs SET ended = 0");
    db.close();
    expect(await refused(["--yes"])).toContain("installations have not ended");
    const lock = acquireInstanceLock(paths.engineLock);
    expect(await refused(["--yes"])).toContain("an engine runs");
    lock.release();
  });
});
