import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandTarget } from "../../../src/emulator/store/operators.ts";
import { ConsoleOperator } from "../../support/console-operator.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { eventually } from "../../support/engine-process.ts";
import { ReportingGateway } from "../../support/reporting-gateway.ts";

let emulator: TestEmulator;
let operator: ConsoleOperator;
beforeAll(async () => {
  emulator = await startTestEmulator();
  operator = await ConsoleOperator.signIn(emulator);
});
afterAll(() => emulator.close());

let serial = 0;
function gateway(product = "pump"): Promise<ReportingGateway> {
  serial += 1;
  return ReportingGateway.activate(emulator, product, `S${100 + serial}`);
}

const install = { install: [{ name: "meter.v2.tar.gz" }] };

async function give(rids: readonly string[], command: unknown = install): Promise<string> {
  const { status, body } = await operator.call("POST", "commands", { gateways: rids, command });
  expect(status).toBe(201);
  return body.command.id;
}

const targets = async (id: string): Promise<readonly CommandTarget[]> =>
  (await operator.call("GET", `commands/${id}`)).body.command.gateways;

/** Resolves once the command's only target is in this state. */
const reaches = (id: string, state: string) =>
  eventually(`${id} ${state}`, async () => {
    const [target] = await targets(id);
    return target?.state === state ? target : undefined;
  });

describe("a command", () => {
  test("is followed from the dataport to its result", async () => {
    const one = await gateway();
    const id = await give([one.rid]);
    expect(await targets(id)).toMatchObject([{ sn: one.sn, product: "pump", state: "waiting" }]);
    expect(await operator.fleet(`sn:${one.sn} is:pending`)).toMatchObject([{ pending: id }]);

    expect(await one.take()).toEqual({ ...install, id });
    await reaches(id, "taken");
    await one.answer(id, "installed");
    expect((await reaches(id, "succeeded")).detail).toBe("meter 2 installed");
    expect((await operator.call("GET", "commands")).body.commands[0]).toMatchObject({
      id,
      command: install,
      counts: { succeeded: 1 },
    });
  });

  test.each([
    ["failed", install, "failed"],
    ["rolled-back", install, "rolled-back"],
    ["interrupted", install, "failed"],
    ["rolled-back", { rollback: ["meter"] }, "succeeded"],
    ["stopped", { stop: ["meter"] }, "succeeded"],
  ])("that a gateway answers with %s to %j has %s", async (word, command, state) => {
    const one = await gateway();
    const id = await give([one.rid], command);
    await one.take();
    await one.answer(id, word, "compiling\ngwe: no room\n");
    const { detail } = await reaches(id, state);
    if (state !== "succeeded") expect(detail).toBe(`meter 2 ${word}: gwe: no room`);
  });

  test("never overwrites one that has not been taken", async () => {
    const one = await gateway();
    const other = await gateway();
    const earlier = await give([one.rid], { restart: ["meter"] });
    const id = await give([one.rid, other.rid]);
    expect(await targets(id)).toMatchObject([
      { sn: one.sn, state: "blocked", detail: "another command waits there" },
      { sn: other.sn, state: "waiting" },
    ]);
    expect((await one.take()).id).toBe(earlier);
  });

  test("reaches all that a filter chooses, and none where none matches", async () => {
    const group = [await gateway("filtered"), await gateway("filtered")];
    const order = { filter: "product:filtered", command: install };
    const { body } = await operator.call("POST", "commands", order);
    expect(body.command.gateways.map(({ sn }: { sn: string }) => sn)).toEqual(group.map(({ sn }) => sn));
    const nobody = await operator.call("POST", "commands", { filter: "product:none", command: install });
    expect([nobody.status, nobody.body]).toEqual([409, { error: "no gateway matches" }]);
  });

  test("can be withdrawn until it is taken", async () => {
    const one = await gateway();
    const id = await give([one.rid]);
    const withdraw = () => operator.call("DELETE", `gateways/${one.rid}/command`);
    expect((await withdraw()).status).toBe(204);
    expect((await reaches(id, "replaced")).detail).toBe("withdrawn");
    expect(await one.checkIn({ usage_report: {} })).toBe("");
    expect((await withdraw()).status).toBe(409);
  });

  test("that somebody writes over is told as replaced", async () => {
    const one = await gateway();
    const id = await give([one.rid]);
    await emulator.device("pump", one.sn).write("engine_fetch", '{"report":true}');
    await reaches(id, "replaced");
  });

  test.each([
    [{ gateways: [], command: install }, 400],
    [{ gateways: ["x"], command: install }, 404],
    [{ filter: "", command: {} }, 400],
    [{ filter: "", command: { id: "x" } }, 400],
    [{ command: install }, 400],
    [{ filter: "", command: { stop: ["x".repeat(70_000)] } }, 413],
  ])("%j is refused", async (order, status) => {
    expect((await operator.call("POST", "commands", order)).status).toBe(status);
  });
});

test("commands are followed across a restart of the server", async () => {
  const own = await startTestEmulator();
  const one = await ReportingGateway.activate(own, "pump", "R1");
  const before = await ConsoleOperator.signIn(own);
  const { body } = await before.call("POST", "commands", { filter: "", command: install });
  const port = Number(new URL(own.url).port);
  await own.emulator.close();
  await using again = await startTestEmulator({ dataDirectory: own.dataDirectory, port });
  const { id } = body.command;
  await one.take();
  await one.answer(id, "installed");
  const after = await ConsoleOperator.signIn(again);
  await eventually("success", async () => {
    const answer = await after.call("GET", `commands/${id}`);
    return answer.body.command.counts.succeeded === 1;
  });
  await own.close().catch(() => undefined);
});

describe("content", () => {
  const package1 = new Uint8Array([0x1f, 0x8b, 1, 2, 3]);
  const digest = "00e25a5c69702c645cc56e219b40deb8c705148fec49c11ec875d8e11bcbdfa0";

  test("is uploaded with its digest, listed by app and version, served to gateways and removed", async () => {
    await emulator.addProduct("stored");
    const put = await operator.call("PUT", "content/stored/meter.v1.10.tar.gz", package1);
    expect(put.status).toBe(200);
    expect(put.body.content).toMatchObject({ app: "meter", version: "1.10", size: 5, uploaded: true });
    expect(put.body.content.sha256).toBe(digest);
    const { body } = await operator.call("GET", "content/stored");
    expect(body.content).toEqual([put.body.content]);
    const blob = await emulator.owner(
      "GET",
      "/provision/manage/content/stored/meter.v1.10.tar.gz?download=true",
    );
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(package1);
    expect((await operator.call("DELETE", "content/stored/meter.v1.10.tar.gz")).status).toBe(204);
    expect((await operator.call("GET", "content/stored")).body.content).toEqual([]);
  });

  test("that is uploaded again keeps its protection and the rest of its meta", async () => {
    await emulator.addContent("stored", "meter.v3.tar.gz", "old", { protected: true, meta: "by Ann" });
    await operator.call("PUT", "content/stored/meter.v3.tar.gz", package1);
    const { body } = await operator.call("PUT", "content/stored/meter.v3.tar.gz", new Uint8Array([1]));
    expect(body.content).toMatchObject({ protected: true, size: 1 });
    expect(body.content.meta).toMatch(/^by Ann sha256=[0-9a-f]{64}$/);
  });

  test("of a product that is not the owner's is not there", async () => {
    expect((await operator.call("GET", "content/nobody")).status).toBe(404);
    expect((await operator.call("PUT", "content/nobody/x", package1)).status).toBe(404);
  });
});
