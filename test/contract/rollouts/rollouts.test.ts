import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConsoleOperator } from "../../support/console-operator.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { eventually } from "../../support/engine-process.ts";
import { ReportingGateway } from "../../support/reporting-gateway.ts";

const product = "pump";
const content = "meter.v2.tar.gz";
const install = { install: [{ name: content }] };

let emulator: TestEmulator;
let operator: ConsoleOperator;
let fleet: Map<string, ReportingGateway>;

beforeEach(async () => {
  emulator = await startTestEmulator({ rolloutsEveryMs: 100 });
  operator = await ConsoleOperator.signIn(emulator);
  await emulator.addContent(product, content, "a package");
  fleet = new Map();
});

afterEach(() => emulator.close());

async function addGateways(count: number): Promise<ReportingGateway[]> {
  const added = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      ReportingGateway.activate(emulator, product, `S${fleet.size + index}`),
    ),
  );
  for (const one of added) fleet.set(one.sn, one);
  return added;
}

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly wave: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly waves: readonly { readonly size: number; readonly state: string; readonly excused: number }[];
}

async function start(plan: Readonly<Record<string, unknown>> = {}): Promise<Shown> {
  const request = { name: "meter 2", filter: "", command: install, soakS: 0, waves: ["1", "100%"], ...plan };
  const { status, body } = await operator.call("POST", "rollouts", request);
  expect(body.error).toBeUndefined();
  expect(status).toBe(201);
  return body.rollout;
}

const find = async (id: string): Promise<Shown> =>
  (await operator.call("GET", `rollouts/${id}`)).body.rollout;

/** Resolves once the roll-out is as told. */
const reaches = (id: string, wanted: Partial<Shown>) =>
  eventually(`${id} ${JSON.stringify(wanted)}`, async () => {
    const found = await find(id);
    const isThere = Object.entries(wanted).every(([key, value]) =>
      isDeepStrictEqual(found[key as keyof Shown], value),
    );
    return isThere ? found : undefined;
  });

interface TargetShown {
  readonly sn: string;
  readonly state: string;
  readonly wave: number;
  readonly detail: string;
}

const targets = async (id: string, state = ""): Promise<readonly TargetShown[]> =>
  (await operator.call("GET", `rollouts/${id}/gateways?limit=1000${state && `&state=${state}`}`)).body
    .gateways;

const inWave = async (id: string, wave: number): Promise<ReportingGateway[]> =>
  (await targets(id)).filter((one) => one.wave === wave).map(({ sn }) => gatewayOf(sn));

function gatewayOf(sn: string): ReportingGateway {
  const found = fleet.get(sn);
  if (!found) throw new Error(`no gateway ${sn}`);
  return found;
}

const act = async (id: string, action: string): Promise<number> =>
  (await operator.call("POST", `rollouts/${id}/${action}`)).status;

/** Takes the command, once it is there, as a gateway does that checks in all the time. */
async function take(one: ReportingGateway): Promise<{ readonly id: string }> {
  await emulator.device(product, one.sn).waitForValue("engine_fetch");
  return one.take();
}

/** Takes the roll-out's command and tells how it ended. */
async function end(one: ReportingGateway, status: string, output = ""): Promise<void> {
  const { id } = await take(one);
  await one.answer(id, status, output);
}

const waitingAt = (one: ReportingGateway) => emulator.device(product, one.sn).latest("engine_fetch");

describe("waves", () => {
  test("begin one after the other, and the roll-out completes", async () => {
    await addGateways(5);
    const { id } = await start();
    const [first, ...others] = await inWave(id, 0);
    expect(others).toEqual([]);
    await reaches(id, { counts: { waiting: 1, pending: 4 } });
    for (const one of await inWave(id, 1)) expect(await waitingAt(one)).toBeUndefined();

    expect(await take(first as ReportingGateway)).toEqual({ ...install, id });
    await reaches(id, { counts: { taken: 1, pending: 4 } });
    await first?.answer(id, "installed");
    await reaches(id, { wave: 1, counts: { succeeded: 1, waiting: 4 } });
    for (const one of await inWave(id, 1)) await end(one, "installed");
    const done = await reaches(id, { state: "completed" });
    expect(done).toMatchObject({ counts: { succeeded: 5 }, waves: [{ state: "done" }, { state: "done" }] });
  });

  test("are parted by the soak time", async () => {
    await addGateways(2);
    const { id } = await start({ soakS: 3_600 });
    const [first] = await inWave(id, 0);
    await end(first as ReportingGateway, "installed");
    const soaking = await eventually("soaking", async () => {
      const found = await find(id);
      return found.waves[0]?.state === "soaking" ? found : undefined;
    });
    expect(soaking.counts).toEqual({ succeeded: 1, pending: 1 });
    emulator.emulator.serverClock.setOffset(3_601);
    await reaches(id, { wave: 1, counts: { succeeded: 1, waiting: 1 } });
  });
});

test("too many failures stop it, and nobody beyond its wave is touched", async () => {
  await addGateways(6);
  const { id } = await start({ waves: ["2", "100%"], maxFailurePercent: 0 });
  const [bad, good] = await inWave(id, 0);
  await end(bad as ReportingGateway, "failed", "unpacked\nno space left");
  const stopped = await reaches(id, { state: "stopped" });
  expect(stopped.reason).toBe("1 of 2 gateways of wave 1 failed: more than 0 %");
  expect(stopped.counts).toEqual({ failed: 1, waiting: 1, pending: 4 });
  expect((await targets(id, "failed"))[0]?.detail).toBe("meter 2 failed: no space left");

  // An operator has seen it and goes on: the failure is passed over.
  expect(await act(id, "resume")).toBe(200);
  await end(good as ReportingGateway, "installed");
  const resumed = await reaches(id, { state: "running", wave: 1 });
  expect(resumed.waves[0]).toMatchObject({ excused: 1 });
  expect(await act(id, "resume")).toBe(409);
});

test("a command that waits is left alone, and ours follows it", async () => {
  const [one] = (await addGateways(1)) as [ReportingGateway];
  await emulator.device(product, one.sn).write("engine_fetch", '{"restart":["meter"],"id":"other"}');
  const { id } = await start();
  await reaches(id, { counts: { blocked: 1 } });
  expect(await take(one)).toMatchObject({ id: "other" });
  await reaches(id, { counts: { waiting: 1 } });
  await end(one, "installed");
  await reaches(id, { state: "completed" });
});

test("two roll-outs to the same gateway come one after the other", async () => {
  const [one] = (await addGateways(1)) as [ReportingGateway];
  const first = await start();
  await reaches(first.id, { counts: { waiting: 1 } });
  const second = await start();
  await reaches(second.id, { counts: { blocked: 1 } });
  await end(one, "installed");
  await reaches(first.id, { state: "completed" });
  await reaches(second.id, { counts: { waiting: 1 } });
  expect(await take(one)).toMatchObject({ id: second.id });
});

test("paused it sends nothing, and notes what gateways tell", async () => {
  await addGateways(3);
  const { id } = await start();
  await reaches(id, { counts: { waiting: 1, pending: 2 } });
  expect(await act(id, "pause")).toBe(200);
  expect(await act(id, "pause")).toBe(409);
  const [first] = await inWave(id, 0);
  await end(first as ReportingGateway, "installed");
  await reaches(id, { state: "paused", counts: { succeeded: 1, pending: 2 } });
  expect(await act(id, "resume")).toBe(200);
  await reaches(id, { counts: { succeeded: 1, waiting: 2 } });
});

test("aborted it takes back what nobody has taken, and hears of the rest", async () => {
  await addGateways(3);
  const { id } = await start({ waves: ["100%"] });
  await reaches(id, { counts: { waiting: 3 } });
  const [taker, ...others] = (await inWave(id, 0)) as [ReportingGateway, ...ReportingGateway[]];
  await take(taker);
  await reaches(id, { counts: { waiting: 2, taken: 1 } });
  expect(await act(id, "abort")).toBe(200);
  await reaches(id, { state: "aborted", counts: { taken: 1, withdrawn: 2 } });
  for (const one of others) expect(await waitingAt(one)).toBe("");
  await taker.answer(id, "installed");
  await reaches(id, { state: "aborted", counts: { succeeded: 1, withdrawn: 2 } });
});

test("rolled back, each gateway gets back what it had", async () => {
  const [updated, fresh, same, late, offline] = (await addGateways(5)) as [
    ReportingGateway,
    ReportingGateway,
    ReportingGateway,
    ReportingGateway,
    ReportingGateway,
  ];
  await updated.report([["meter", "1", "RUNNING"]]);
  await same.report([["meter", "2", "RUNNING"]]);
  const { id } = await start({ waves: ["100%"] });
  await reaches(id, { counts: { waiting: 5 } });
  for (const one of [updated, fresh, same]) await end(one, "installed");
  await take(late);
  await reaches(id, { counts: { waiting: 1, taken: 1, succeeded: 3 } });
  expect(await act(id, "roll-back")).toBe(200);
  await late.answer(id, "installed");

  await reaches(id, { counts: { withdrawn: 1, "undo-waiting": 3, undone: 1 } });
  expect(await waitingAt(offline)).toBe("");
  const undo = `${id}-undo`;
  expect(await take(updated)).toEqual({ rollback: ["meter"], id: undo });
  await updated.answer(undo, "rolled-back");
  expect(await take(fresh)).toEqual({ remove: ["meter"], id: undo });
  await fresh.answer(undo, "removed");
  await end(late, "failed", "no version before this one");
  await reaches(id, { state: "rolled-back", counts: { withdrawn: 1, undone: 3, "undo-failed": 1 } });
});

test("a gateway that is away holds up no wave for ever, and is caught when it returns", async () => {
  await addGateways(4);
  const { id } = await start({ waves: ["2", "100%"], absentAfterS: 3_600 });
  const [here, away] = (await inWave(id, 0)) as [ReportingGateway, ReportingGateway];
  await end(here, "installed");
  await reaches(id, { wave: 0, counts: { succeeded: 1, waiting: 1, pending: 2 } });
  emulator.emulator.serverClock.setOffset(3_700);
  await reaches(id, { wave: 1 });
  for (const one of await inWave(id, 1)) await end(one, "installed");
  await reaches(id, { state: "completed", counts: { succeeded: 3, waiting: 1 } });
  await end(away, "installed");
  await reaches(id, { state: "completed", counts: { succeeded: 4 } });
});

test("a gateway that took the command and falls silent counts as failed, until it speaks", async () => {
  await addGateways(2);
  const { id } = await start({ resultWithinS: 600 });
  const [first] = (await inWave(id, 0)) as [ReportingGateway];
  await take(first);
  await reaches(id, { counts: { taken: 1, pending: 1 } });
  emulator.emulator.serverClock.setOffset(700);
  await reaches(id, { state: "stopped", counts: { silent: 1, pending: 1 } });
  await first.answer(id, "installed");
  await reaches(id, { counts: { succeeded: 1, pending: 1 } });
  expect(await act(id, "resume")).toBe(200);
  await reaches(id, { wave: 1 });
});

describe("what an owner does meanwhile", () => {
  test("overwriting or withdrawing the command counts neither way", async () => {
    const [one, two] = (await addGateways(2)) as [ReportingGateway, ReportingGateway];
    const { id } = await start({ waves: ["100%"] });
    await reaches(id, { counts: { waiting: 2 } });
    await emulator.device(product, one.sn).write("engine_fetch", '{"report":true}');
    expect((await operator.call("DELETE", `gateways/${two.rid}/command`)).status).toBe(204);
    await reaches(id, { state: "completed", counts: { replaced: 2 } });
    expect((await targets(id)).map(({ detail }) => detail).toSorted()).toEqual([
      "another command was written over it",
      "withdrawn",
    ]);
  });

  test("a serial that is removed is gone from its wave", async () => {
    const [one] = (await addGateways(1)) as [ReportingGateway];
    const { id } = await start();
    await reaches(id, { counts: { waiting: 1 } });
    await emulator.owner("DELETE", `/provision/manage/model/${product}/${one.sn}`);
    await reaches(id, { state: "completed", counts: { gone: 1 } });
  });
});

test("open consoles are told of each change", async () => {
  await addGateways(1);
  const ended = new AbortController();
  let id = "";
  for await (const { name, data } of operator.events(ended.signal)) {
    if (name === "ready") ({ id } = await start());
    if (name !== "rollout") continue;
    expect((data as Shown).id).toBe(id);
    break;
  }
  ended.abort();
});

describe("refused is", () => {
  test("what makes no sense, or reaches nobody", async () => {
    await addGateways(1);
    const refusals: readonly (readonly [Readonly<Record<string, unknown>>, number])[] = [
      [{ filter: "is:nonsense" }, 400],
      [{ waves: ["0%"] }, 400],
      [{ waves: [] }, 400],
      [{ successPercent: 101 }, 400],
      [{ command: {} }, 400],
      [{ command: { id: "mine" } }, 400],
      [{ filter: "sn:nobody" }, 409],
      [{ command: { install: [{ name: "meter.v9.tar.gz" }] } }, 409],
      [{ surprise: 1 }, 400],
    ];
    for (const [plan, status] of refusals) {
      const request = { name: "x", filter: "", command: install, ...plan };
      const answer = await operator.call("POST", "rollouts", request);
      expect([plan, answer.status, typeof answer.body.error]).toEqual([plan, status, "string"]);
    }
    expect((await operator.call("GET", "rollouts")).body.rollouts).toEqual([]);
  });

  test("to roll back what cannot be taken back, and what is nobody's", async () => {
    await addGateways(1);
    const { id } = await start({ command: { restart: ["meter"] } });
    expect(await act(id, "roll-back")).toBe(409);
    expect((await operator.call("GET", "rollouts/other")).status).toBe(404);
    expect((await operator.call("GET", `rollouts/${id}/gateways?state=odd`)).status).toBe(400);
    const anybody = await fetch(`${emulator.url}/console/api/rollouts`);
    expect(anybody.status).toBe(401);
  });
});
