import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConsoleOperator } from "../../support/console-operator.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { ReportingGateway } from "../../support/reporting-gateway.ts";

let emulator: TestEmulator;
let operator: ConsoleOperator;
let first: ReportingGateway;

const deviceInfo = {
  uname: "Linux",
  hostname: "gw-17",
  kernel: "6.1.0",
  arch: "x64",
  os: { distro: "Debian GNU/Linux", release: "12" },
  memory: { total: 1000, available: 250 },
  filesystems: [
    { mount: "/snap", read_only: true, total: 10, used: 10 },
    { mount: "/", read_only: false, total: 200, used: 82 },
  ],
  interfaces: [
    { name: "lo", addresses: ["127.0.0.1"] },
    { name: "eth0", addresses: ["10.0.0.17/24"] },
  ],
};

beforeAll(async () => {
  emulator = await startTestEmulator({ consoleEventsEveryMs: 20 });
  first = await ReportingGateway.activate(emulator, "pump", "AA:01");
  await first.checkIn({
    device_info: deviceInfo,
    usage_report: { eth0: { rx: 100, tx: 23, consumers: {} } },
  });
  await first.report([["meter", "1.2", "RUNNING"]]);
  await emulator.addSerial("valve", "BB:02");
  await emulator.owner("POST", "/provision/manage/group/pump/", { form: { id: "pilot", meta: "" } });
  await emulator.owner("POST", "/provision/manage/group/pump/pilot/", { form: { type: "sn", id: "AA:01" } });
  operator = await ConsoleOperator.signIn(emulator);
});
afterAll(() => emulator.close());

/** Moves the server's clock on. */
function later(seconds: number): void {
  const { serverClock } = emulator.emulator;
  serverClock.setOffset(serverClock.offsetS + seconds);
}

const serials = async (filter: string) => (await operator.fleet(filter)).map(({ sn }) => sn);

test("the fleet tells of each gateway what its reports say", async () => {
  const [gateway, other] = await operator.fleet();
  expect(gateway).toMatchObject({
    product: "pump",
    sn: "AA:01",
    status: "activated",
    groups: ["pilot"],
    engine: "0.1.0",
    host: "gw-17",
    os: "Debian GNU/Linux 12",
    arch: "x64",
    ip: "10.0.0.17",
    apps: [{ name: "meter", version: "1.2", status: "RUNNING" }],
    disk: 41,
    memory: 75,
    queue: 7,
    traffic: 123,
  });
  expect(other).toMatchObject({ sn: "BB:02", status: "notactivated", seen: null, onlineUntil: 0, apps: [] });
});

test("a filter chooses the same gateways as in the browser, and says what it does not understand", async () => {
  expect(await serials("group:pilot app.meter<1.10 is:online")).toEqual(["AA:01"]);
  expect(await serials("-group:pilot")).toEqual(["BB:02"]);
  const answer = await operator.call("GET", "fleet?filter=disk%3Efull");
  expect([answer.status, answer.body]).toEqual([
    400,
    { error: "filter: 'disk>' takes a number, not 'full'" },
  ]);
});

test("tags are given to those that a filter or names choose, and choose gateways", async () => {
  const tags = (body: unknown) => operator.call("POST", "tags", body);
  expect((await tags({ filter: "", add: ["hall-3", "pilot"] })).body).toEqual({ changed: 2 });
  expect((await tags({ gateways: [first.rid], add: ["pilot"], remove: ["hall-3"] })).body).toEqual({
    changed: 1,
  });
  expect(await serials("tag:hall-*")).toEqual(["BB:02"]);
  expect((await operator.fleet("tag:pilot"))[0]?.tags).toEqual(["pilot"]);
  expect((await tags({ filter: "", add: ["two words"] })).status).toBe(400);
  expect((await tags({ filter: "sn:nobody", add: ["x"] })).status).toBe(409);
  const many = Array.from({ length: 32 }, (_, index) => `t${index}`);
  expect((await tags({ filter: "sn:BB:02", add: many })).status).toBe(409);
  expect(await serials("tag:t1")).toEqual([]);
});

test("a silent gateway goes offline; one that holds a long poll does not", async () => {
  const quiet = await ReportingGateway.activate(emulator, "pump", "AA:03");
  await quiet.report([]);
  await first.report([["meter", "1.2", "RUNNING"]]);
  const polling = new AbortController();
  const poll = first.poll(polling.signal);
  await emulator.waitForOpenRequest({ procedure: "long-poll", device: "AA:01" });
  later(600);
  expect(await serials("is:offline product:pump")).toEqual(["AA:03"]);
  expect(await serials("is:online")).toEqual(["AA:01"]);
  polling.abort();
  await poll;
});

describe("a gateway's page", () => {
  test("has every dataport's newest value and its history", async () => {
    await first.checkIn({ temperature: "21.5" });
    later(60);
    await first.checkIn({ temperature: "22.5" });
    const { body } = await operator.call("GET", `gateways/${first.rid}`);
    expect(body.gateway.sn).toBe("AA:01");
    expect(body.values.temperature.value).toBe("22.5");
    const { body: past } = await operator.call("GET", `gateways/${first.rid}/history/temperature`);
    expect(past.points.map(([, value]: [number, string]) => value)).toEqual(["22.5", "21.5"]);
  });

  test("has charts of the reports and of what the apps write", async () => {
    const { body } = await operator.call("GET", `gateways/${first.rid}/charts?hours=24`);
    const titles = body.charts.map(({ title }: { title: string }) => title);
    expect(titles).toEqual(expect.arrayContaining(["Apps", "Queue", "Memory and disk", "temperature"]));
    const temperature = body.charts.find(({ title }: { title: string }) => title === "temperature");
    expect(temperature.series).toEqual([{ label: "value", values: [21.5, 22.5] }]);
    expect(temperature.ts[1] - temperature.ts[0]).toBe(60);
  });

  test("has the jobs that ended, with an older engine's raw output as it is", async () => {
    await first.answer("one", "installed", "fine\n");
    later(2);
    await first.checkIn({ fetch_status: "make: all done" });
    const { body } = await operator.call("GET", `gateways/${first.rid}/jobs`);
    expect(body.jobs[0].apps[0].output).toBe("make: all done");
    expect(body.jobs[1]).toMatchObject({ id: "one", apps: [{ name: "meter", status: "installed" }] });
  });

  test("sets the interval of check-ins", async () => {
    const set = (seconds: unknown) =>
      operator.call("PUT", `gateways/${first.rid}/update-interval`, { seconds });
    expect((await set(30)).status).toBe(204);
    expect((await operator.call("GET", `gateways/${first.rid}`)).body.values.update_interval.value).toBe(
      "30",
    );
    expect((await set(0)).status).toBe(400);
    expect((await set("x")).status).toBe(400);
  });

  test("is not there for a gateway that is not", async () => {
    expect((await operator.call("GET", "gateways/nobody")).status).toBe(404);
    expect((await operator.call("GET", `gateways/${first.rid}/history/nothing`)).status).toBe(404);
  });
});

describe("events", () => {
  test("begin with the whole fleet and go on with what changes", async () => {
    const ending = new AbortController();
    const events = operator.events(ending.signal);
    // biome-ignore lint/suspicious/noExplicitAny: tests look into events of any shape
    const next = async (name: string, isIt: (data: any) => boolean = () => true) => {
      for (;;) {
        const { value } = await events.next();
        // biome-ignore lint/suspicious/noExplicitAny: likewise
        const data = value?.data as any;
        if (value?.name === name && isIt(data)) return data;
      }
    };
    const begin = await next("fleet");
    expect(begin.gateways.map(({ sn }: { sn: string }) => sn)).toEqual(["AA:01", "BB:02", "AA:03"]);
    await next("ready");

    await first.report([["meter", "1.3", "FATAL"]]);
    // Whether it is online may have changed before, by itself.
    const changed = await next("changed", ({ gateways }) => gateways.length > 0);
    expect(changed.gateways).toMatchObject([{ sn: "AA:01", apps: [{ version: "1.3", status: "FATAL" }] }]);

    const late = await ReportingGateway.activate(emulator, "pump", "AA:04");
    await next("changed", ({ gateways: [first] }) => first?.sn === "AA:04" && first.status === "activated");
    await emulator.owner("DELETE", "/provision/manage/model/pump/AA:04");
    await next("changed", ({ removed }) => removed.includes(late.rid));

    await emulator.addContent("pump", "meter.v1.tar.gz", "x");
    expect(await next("content")).toEqual({ product: "pump" });
    ending.abort();
    await events.next().catch(() => undefined);
  });
});
