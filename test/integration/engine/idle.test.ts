import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { diskCallsDuring } from "../../support/disk-calls.ts";
import type { EngineProcess } from "../../support/engine-process.ts";
import { IdleGateway } from "../../support/idle-gateway.ts";

it("costs an idle gateway one request and one commit to check in, and nothing else on its disk", async () => {
  await using gateway = await IdleGateway.running([], 86_400);
  const { engine, tap } = gateway;
  await gateway.checkIn();
  tap.take();
  const { syncs, written } = await diskCallsDuring(engine.pid ?? 0, join(engine.home, "strace"), async () => {
    await gateway.checkIn();
    await gateway.checkIn();
    await checkMetrics(engine);
  });

  /** What those see who run their own monitoring, by Prometheus' own judge. */
  async function checkMetrics({ paths }: EngineProcess): Promise<void> {
    const port = readFileSync(paths.queuePort, "utf8").trim();
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toMatch(/^gwe_check_ins_total\{result="succeeded"\} [4-9]$/m);
    expect(text).toMatch(/^gwe_consumer_requests_total\{interface="lo",consumer="gwe:writeRead"\} [4-9]$/m);
    expect(text).toMatch(/^gwe_disk_written_bytes_total [1-9]\d+$/m);
    const verdict = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
    expect(verdict).toMatchObject({ status: 0, stderr: "" });
  }
  expect(
    tap
      .take()
      .sent.toString("latin1")
      .match(/POST \/onep:v1/g),
  ).toHaveLength(2);
  expect(syncs).toEqual([`${engine.paths.gatewayDb}-wal`, `${engine.paths.gatewayDb}-wal`]);
  expect(Array.from(written.keys())).toEqual([`${engine.paths.gatewayDb}-wal`]);
});
