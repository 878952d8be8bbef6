import { join } from "node:path";
import { expect, it } from "vitest";
import { diskCallsDuring } from "../../support/disk-calls.ts";
import { IdleGateway } from "../../support/idle-gateway.ts";

it("costs an idle gateway one request and one commit to check in, and nothing else on its disk", async () => {
  await using gateway = await IdleGateway.running([], 86_400);
  const { engine, tap } = gateway;
  await gateway.checkIn();
  tap.take();
  const { syncs, written } = await diskCallsDuring(engine.pid ?? 0, join(engine.home, "strace"), async () => {
    await gateway.checkIn();
    await gateway.checkIn();
  });
  expect(
    tap
      .take()
      .sent.toString("latin1")
      .match(/POST \/onep:v1/g),
  ).toHaveLength(2);
  expect(syncs).toEqual([`${engine.paths.gatewayDb}-wal`, `${engine.paths.gatewayDb}-wal`]);
  expect(Array.from(written.keys())).toEqual([`${engine.paths.gatewayDb}-wal`]);
});
