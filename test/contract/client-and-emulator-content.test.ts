/** The real client against the real emulator: content. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceClientOptions, NetworkError } from "../../src/device-client/index.ts";
import { rejection } from "../support/device-client-fixtures.ts";
import { activatedGateway, product } from "../support/emulated-gateway.ts";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";

let emulator: TestEmulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
});
afterEach(() => emulator.clearFaults());
afterAll(() => emulator.close());

const gateway = (options: Partial<DeviceClientOptions> = {}, where = emulator) =>
  activatedGateway(where, options);

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("content", () => {
  const blob = Buffer.from(Array.from({ length: 5_000 }, (_, n) => n % 251));
  const names = ["app.v1.tar.gz", 'odd, "name" ü&=+%.v2.tar.gz'];

  test("list, info and download by any name, with any meta text", async () => {
    await using where = await startTestEmulator();
    const { client } = await gateway({}, where);
    expect(await client.listContent()).toEqual([]);
    const meta = 'a,"b"\nc é';
    for (const id of names)
      await where.addContent(product, id, blob, { contentType: "application/x-tar", meta });
    expect([...(await client.listContent())].sort()).toEqual([...names].sort());
    const now = await client.timestamp();
    for (const id of names) {
      const info = await client.contentInfo(id);
      expect(info).toMatchObject({ id, contentType: "application/x-tar", sizeBytes: blob.length, meta });
      expect(Math.abs(info.updatedAt - now)).toBeLessThan(60);
      const download = await client.download({ id });
      expect(download).toMatchObject({
        offset: 0,
        totalBytes: blob.length,
        contentType: "application/x-tar",
      });
      expect(blob.equals(await collect(download.body))).toBe(true);
    }
  });

  test.each([
    [{ offset: 4_000 }, 4_000, 5_000],
    [{ offset: 100, end: 199 }, 100, 200],
    [{ end: 9 }, 0, 10],
    [{ offset: 4_999, end: 99_999 }, 4_999, 5_000],
    [{ lastBytes: 70 }, 4_930, 5_000],
    [{ lastBytes: 99_999 }, 0, 5_000],
  ])("the range %j", async (range, start, end) => {
    const { client } = await gateway();
    await emulator.addContent(product, "ranged", blob);
    const download = await client.download({ id: "ranged", ...range });
    expect(download).toMatchObject({ offset: start, totalBytes: blob.length });
    expect(blob.subarray(start, end).equals(await collect(download.body))).toBe(true);
  });

  test.each([
    { offset: -1 },
    { offset: 1.5 },
    { offset: 9, end: 8 },
    { lastBytes: 0 },
    { lastBytes: 5, offset: 1 },
  ])("what is no range, such as %j, never reaches the server, which would send everything", async (range) => {
    const { client, owner } = await gateway();
    await emulator.addContent(product, "ranged", blob);
    expect(await rejection(client.download({ id: "ranged", ...range }))).toMatchObject({
      code: "REJECTED",
      status: undefined,
    });
    expect(emulator.requests({ device: owner.sn })).toEqual([]);
  });

  test("a range behind the end is 416 and tells the size", async () => {
    const { client } = await gateway();
    await emulator.addContent(product, "ranged", blob);
    expect(await rejection(client.download({ id: "ranged", offset: 5_000 }))).toMatchObject({
      code: "REJECTED",
      status: 416,
      context: { totalBytes: 5_000 },
    });
  });

  test("content that is unknown, empty, or not uploaded yet", async () => {
    const { client } = await gateway();
    await emulator.addContent(product, "empty", "");
    await emulator.owner("POST", `/provision/manage/content/${product}/`, {
      form: { id: "to come", meta: "m" },
    });
    for (const ask of [() => client.contentInfo("none"), () => client.download({ id: "none" })]) {
      expect(await rejection(ask())).toMatchObject({ code: "REJECTED", status: 404 });
    }
    const empty = await client.download({ id: "empty" });
    expect([empty.totalBytes, (await collect(empty.body)).length]).toEqual([0, 0]);
    expect(await client.contentInfo("to come")).toMatchObject({ sizeBytes: 0, meta: "m" });
    expect(await rejection(client.download({ id: "to come" }))).toMatchObject({
      code: "REJECTED",
      status: 404,
    });
  });

  test("protected content: 403 until a group, nested or not, holds both serial and content", async () => {
    const { client, owner } = await gateway();
    await emulator.addContent(product, "secret", blob, { protected: true });
    const refused = { code: "REJECTED", status: 403 };
    expect(await client.listContent()).not.toContain("secret");
    expect(await rejection(client.contentInfo("secret"))).toMatchObject(refused);
    expect(await rejection(client.download({ id: "secret" }))).toMatchObject(refused);
    const groups = `/provision/manage/group/${product}/`;
    for (const id of ["outer", "inner"]) await emulator.owner("POST", groups, { form: { id, meta: "" } });
    const members = { outer: ["content", "secret"], inner: ["sn", owner.sn] } as const;
    for (const [group, [type, id]] of Object.entries(members)) {
      await emulator.owner("POST", `${groups}${group}/`, { form: { type, id, expire: "" } });
    }
    expect(await rejection(client.download({ id: "secret" }))).toMatchObject(refused);
    await emulator.owner("POST", `${groups}outer/`, { form: { type: "group", id: "inner", expire: "" } });
    expect(await client.listContent()).toContain("secret");
    expect((await client.contentInfo("secret")).sizeBytes).toBe(blob.length);
    expect(blob.equals(await collect((await client.download({ id: "secret" })).body))).toBe(true);
  });

  test("another product's vendor and model are 403", async () => {
    const { client } = await gateway({ vendor: "otherpid", model: "otherpid" });
    expect(await rejection(client.listContent())).toMatchObject({ code: "REJECTED", status: 403 });
  });

  test("a download that is cut is taken up where it stopped", async () => {
    const { client } = await gateway();
    await emulator.addContent(product, "long", blob);
    emulator.addFault({ match: { procedure: "download" }, cutAfterBytes: 1_234, count: 2 });
    const received: Uint8Array[] = [];
    let length = 0;
    for (let cuts = 0; length < blob.length; ) {
      const { body, offset } = await client.download({ id: "long", offset: length });
      expect(offset).toBe(length);
      try {
        for await (const chunk of body) {
          received.push(chunk);
          length += chunk.length;
        }
      } catch (error) {
        expect(error).toBeInstanceOf(NetworkError);
        cuts += 1;
        expect(length).toBe(1_234 * cuts);
      }
    }
    expect(blob.equals(Buffer.concat(received))).toBe(true);
  });
});
