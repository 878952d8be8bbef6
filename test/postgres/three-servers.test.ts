import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ConsoleOperator } from "../support/console-operator.ts";
import { EmulatedDevice, ownerFetch } from "../support/emulated-device.ts";
import { DeviceSide } from "../support/emulator-device-side.ts";
import { eventually } from "../support/engine-process.ts";
import { PollingGateway } from "../support/polling-gateway.ts";
import { Balancer, ServerProcess } from "../support/server-processes.ts";
import { dropTestDatabase, testDatabase } from "../support/test-database.ts";

const limitMs = 60_000;

let id: string;
let database: string;
let servers: ServerProcess[];
let balancer: Balancer;
let product: string;

beforeAll(async () => {
  id = randomUUID();
  const made = await testDatabase(id);
  if (made === undefined) throw new RangeError("these tests run by npm run test:postgres");
  database = made;
  servers = await Promise.all([1, 2, 3].map(() => ServerProcess.start(database)));
  balancer = await Balancer.start(servers);
});

beforeEach(async () => {
  product = `p-${randomUUID()}`;
  await ownerFetch(front(), "POST", "/provision/manage/model/", { form: { model: product } });
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.end("SIGKILL")));
  await balancer[Symbol.asyncDispose]();
  await dropTestDatabase(id);
});

const server = (index: number) => servers[index] as ServerProcess;
/** The owner's way in: by the balancer, so by any of the servers. */
const front = () => ({ url: balancer.url, token: server(0).token, cik: server(0).cik });

async function addGateways(count: number): Promise<PollingGateway[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => PollingGateway.start(front(), product, `S${index}`)),
  );
}

test("three that start at once on an empty database have one owner", () => {
  expect(new Set(servers.map(({ cik }) => cik)).size).toBe(1);
  expect(new Set(servers.map(({ token }) => token)).size).toBe(1);
});

test("a write through one server wakes a long poll that waits at another", async () => {
  const device = await PollingGateway.activate(front(), product, "S0");
  const poll = new DeviceSide(server(0).url, device.cik).get("/onep:v1/stack/alias?engine_fetch", {
    "Request-Timeout": "60000",
  });
  await eventually("the poll waits", async () => {
    const headers = { "X-Exosite-Token": server(0).token };
    const open = await (await fetch(`${server(0).url}/_emulator/requests/open`, { headers })).text();
    return open.includes("long-poll") || undefined;
  });
  await new EmulatedDevice(server(1), product, "S0").write("engine_fetch", '{"report":true}');
  expect(await (await poll).text()).toBe(`engine_fetch=${encodeURIComponent('{"report":true}')}`);
});

test("a CIK that one server voids is void at all others at once, and ends polls there", async () => {
  const device = await PollingGateway.activate(front(), product, "S0");
  const path = "/onep:v1/stack/alias?engine_fetch";
  const sides = servers.map(({ url }) => new DeviceSide(url, device.cik));
  const poll = (sides[2] as DeviceSide).get(path, { "Request-Timeout": "60000" });
  for (const side of sides) expect((await side.get(path)).status).toBe(204);
  await new EmulatedDevice(server(0), product, "S0").disable();
  for (const side of sides) expect((await side.get(path)).status).toBe(401);
  expect((await poll).status).toBe(401);
});

test("writers of one alias through all servers at once each get a second of their own, and nothing is lost", async () => {
  const { cik } = await PollingGateway.activate(front(), product, "S0");
  const sides = servers.map(({ url }) => new DeviceSide(url, cik));
  const values = Array.from({ length: 90 }, (_, n) => `v${n}`);
  await Promise.all(
    values.map(async (value, n) => {
      const side = sides[n % sides.length] as DeviceSide;
      const response = await side.post("/onep:v1/stack/alias", new URLSearchParams({ x: value, y: value }));
      expect(response.status).toBe(204);
    }),
  );
  for (const alias of ["x", "y"]) {
    const history = await new EmulatedDevice(server(0), product, "S0").history(alias);
    expect(new Set(history.map(([ts]) => ts)).size).toBe(values.length);
    expect(history.map(([, value]) => value).sort()).toEqual([...values].sort());
  }
});

test("one of three is killed in the middle of a roll-out: nothing acknowledged is lost, each gateway got its command once", {
  timeout: 120_000,
}, async () => {
  const gateways = await addGateways(12);
  // All servers' consoles hear of what happens anywhere.
  const ended = new AbortController();
  const completed = servers.slice(1).map(async ({ url, token }) => {
    const watcher = await ConsoleOperator.signIn({ url, token });
    for await (const { name, data } of watcher.events(ended.signal)) {
      if (name === "rollout" && (data as { state: string }).state === "completed") return true;
    }
    return false;
  });
  const operator = await ConsoleOperator.signIn(front());
  const plan = { name: "restart", filter: `product:${product}`, command: { restart: ["meter"] }, soakS: 0 };
  const { body } = await operator.call("POST", "rollouts", { ...plan, waves: ["2", "50%", "100%"] });
  // A request on a connection to the server that is killed fails.
  const rollout = () =>
    operator.call("GET", `rollouts/${body.rollout.id}`).then(
      (answer) => answer.body.rollout,
      () => undefined,
    );
  await eventually(
    "the first wave is through",
    async () => (await rollout())?.counts.succeeded >= 2,
    limitMs,
  );
  // Whichever of them leads: it has been told by nobody.
  await server(0).end("SIGKILL");
  const found = await eventually(
    "the roll-out is completed",
    async () => {
      const now = await rollout();
      return now?.state === "completed" ? now : undefined;
    },
    limitMs,
  );
  expect(found.counts).toEqual({ succeeded: 12 });
  expect(await Promise.all(completed)).toEqual([true, true]);
  ended.abort();
  for (const gateway of gateways) await gateway.stop();
  for (const { sn, commands, acknowledged } of gateways) {
    expect([sn, commands]).toEqual([sn, [body.rollout.id]]);
    const history = await new EmulatedDevice(front(), product, sn).history("count");
    const stored = history.map(([, value]) => Number(value));
    // What got no answer may be stored too: then it was sent again.
    expect(stored).toEqual(expect.arrayContaining([...acknowledged]));
  }
});
