import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { eventually } from "../../support/engine-process.ts";
import { Gateway } from "./gateway.ts";
import { longRunning, runsOf } from "./packages.ts";

const serverUrlOf = ({ engine }: Gateway): string | undefined =>
  /^server_url *= *(.*)$/m.exec(readFileSync(engine.paths.gatewayCfg, "utf8"))?.[1];

const configOf = ({ engine }: Gateway): string => readFileSync(engine.paths.engineConfig, "utf8");

/** Sends settings and has the engine look at once. */
async function configure(gateway: Gateway, id: string, settings: Record<string, unknown>): Promise<void> {
  await gateway.write(JSON.stringify({ id, configure: settings }));
  await gateway.checkIn();
}

it("new settings take effect and bad ones go away again, in one process and without touching an app", async () => {
  await using gateway = await Gateway.running({
    otaLimits: { settingsTrialMs: 2_000, settingsTrialNoteMs: 200 },
  });
  await gateway.upload("meter.v1.tar.gz", longRunning(gateway.engine, "meter", "1"));
  await gateway.install("meter.v1.tar.gz");
  const { pid } = gateway.engine;

  await configure(gateway, "faster", { update_interval: 4242, check_in: "long-poll", kept_versions: null });
  const { apps } = await gateway.result("faster");

  expect(apps).toEqual([
    expect.objectContaining({ name: "gateway-engine", status: "configured", exit_code: null }),
  ]);
  expect(apps[0]?.output).toContain("update_interval = 4242 (was 86400)");
  expect(configOf(gateway)).toMatch(/^update_interval = 4242$/m);
  expect((await gateway.engine.status())?.checkIn).toMatchObject({ mode: "long-poll", intervalS: 4242 });
  expect(gateway.engine.pid).toBe(pid);

  // The next command comes by the long poll: nobody asks for a check-in.
  const mistake = { probation: 0, cik: "x", debug_level: "INFO" };
  await gateway.write(JSON.stringify({ id: "mistake", configure: mistake }));
  const refused = await gateway.result("mistake");
  expect(refused.apps[0]?.status).toBe("failed");
  expect(refused.apps[0]?.output).toContain("nothing was changed");
  expect(refused.apps[0]?.output).toContain(
    'probation = "0": expected a whole number of seconds from 1 to 86400',
  );
  expect(refused.apps[0]?.output).toContain('"cik" cannot be set from afar; these can: server_url,');
  expect(configOf(gateway)).toMatch(/^debug_level = DEBUG$/m);

  const rightUrl = serverUrlOf(gateway);
  const wrongUrl = `http://127.0.0.1:${await deadPort()}`;
  const { cik } = gateway;
  await gateway.write(JSON.stringify({ id: "away", configure: { server_url: wrongUrl, probation: 99 } }));
  const isAway = async (): Promise<boolean> => (await gateway.engine.status())?.device.server === wrongUrl;
  await eventually("the wrong server in force", isAway);
  await gateway.engine.end("SIGKILL");
  gateway.engine.start();

  const away = await gateway.result("away");
  expect(away.apps[0]).toMatchObject({ name: "gateway-engine", status: "rolled-back" });
  expect(away.apps[0]?.output).toMatch(
    /no check-in succeeded within 2 s; the last trouble: .*put back: server_url = /,
  );
  expect(serverUrlOf(gateway)).toBe(rightUrl);
  expect(configOf(gateway)).not.toMatch(/probation/);
  expect(gateway.cik).toBe(cik);
  expect((await gateway.engine.status())?.device.server).toBe(rightUrl);
  expect(runsOf(gateway.engine, "meter")).toHaveLength(1);
});

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return address.port;
}
