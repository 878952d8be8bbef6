import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EngineProcess } from "../../support/engine-process.ts";
import { eventually, patienceMs } from "../../support/eventually.ts";
import { packageTarball } from "../../support/package-tarball.ts";
import { runCommand } from "../../support/run-command.ts";

test("an installer may restart the app that is being installed, and see its state", async () => {
  await using engine = new EngineProcess({ serverUrl: "http://127.0.0.1:9", product: "gwpid", serial: "1" });
  engine.start();
  await eventually("the engine", () => engine.status());
  const install = async (version: string, script: string): Promise<string> => {
    const file = join(engine.home, `meter.v${version}.tar.gz`);
    const tarball = await packageTarball({
      "install.sh": { content: `#!/bin/sh\n${script}\n`, mode: 0o755 },
      "supervisor.conf": { content: `[supervisord]\ncommand = sleep 100${version}\nstartsecs = 0\n` },
    });
    writeFileSync(file, tarball);
    const { status, stdout, stderr } = await runCommand("gwe", ["install", file], { home: engine.home });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    return stdout;
  };
  await install("1", "exit 0");
  const { pid: first } = await engine.running("meter", "1");

  const begun = performance.now();
  const said = await install(
    "2",
    "set -e\nsupervisorctl restart meter\nsupervisorctl pid meter >pid\nsupervisorctl status meter gwe",
  );
  expect(performance.now() - begun).toBeLessThan(2 * patienceMs);
  expect(said).toMatch(/meter: stopped\nmeter: started\nmeter +RUNNING .*\ngwe +RUNNING +pid \d+/);
  const { pid } = await engine.running("meter", "2");
  expect(pid).not.toBe(first);
  expect(readFileSync(`/proc/${pid}/cmdline`, "latin1")).toBe("sleep\x001002\0");
});
