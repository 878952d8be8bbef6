import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { DeviceSide } from "../../support/emulator-device-side.ts";
import { storedBlobs } from "../../support/test-database.ts";

let emulator: TestEmulator;
let side: DeviceSide;
const text = "0123456789";

beforeAll(async () => {
  emulator = await startTestEmulator();
  const { cik } = await emulator.addActivated("gw", "1");
  side = new DeviceSide(emulator.url, cik);
  await emulator.addContent("gw", "digits.v1.tar.gz", text, { meta: "ten, digits" });
});
afterAll(() => emulator.close());

const path = "/provision/download?vendor=gw&model=gw";
const digits = `${path}&id=digits.v1.tar.gz`;

describe("for a device", () => {
  test("list, info, download", async () => {
    const list = await side.get(path);
    expect(list.headers.get("content-type")).toContain("text/csv");
    expect((await list.text()).split("\n")).toContain("digits.v1.tar.gz");
    const info = await side.get(`${digits}&info=true`);
    expect(await info.text()).toMatch(/^application\/gzip,10,\d{10},"ten, digits"\n$/);
    const download = await side.get(digits);
    expect(download.status).toBe(200);
    expect(download.headers.get("content-type")).toBe("application/gzip");
    expect(download.headers.get("content-length")).toBe("10");
    expect(download.headers.get("accept-ranges")).toBe("bytes");
    expect(await download.text()).toBe(text);
  });

  test.each([
    ["bytes=3-", "3456789", "bytes 3-9/10"],
    ["bytes=3-5", "345", "bytes 3-5/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=0-0", "0", "bytes 0-0/10"],
    ["bytes=5-100", "56789", "bytes 5-9/10"],
    ["bytes=-100", text, "bytes 0-9/10"],
  ])("Range %s is 206", async (range, body, contentRange) => {
    const response = await side.get(digits, { Range: range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(await response.text()).toBe(body);
  });

  test.each(["bytes=10-", "bytes=11-20", "bytes=-0"])("Range %s is 416", async (range) => {
    const response = await side.get(digits, { Range: range });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  });

  test.each(["bytes=5-3", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4"])(
    "Range %s, which means nothing here, gets the whole",
    async (range) => {
      const response = await side.get(digits, { Range: range });
      expect([response.status, await response.text()]).toEqual([200, text]);
    },
  );

  test("If-Range of a content that was replaced gets the whole new one", async () => {
    await emulator.addContent("gw", "changing", "old content");
    const etag = (await side.get(`${path}&id=changing`)).headers.get("etag") ?? "";
    const resume = { Range: "bytes=4-", "If-Range": etag };
    expect((await side.get(`${path}&id=changing`, resume)).status).toBe(206);
    await emulator.addContent("gw", "changing", "new content");
    const response = await side.get(`${path}&id=changing`, resume);
    expect([response.status, await response.text()]).toEqual([200, "new content"]);
  });

  test("403 for another vendor/model, 401 without CIK, 404 for unknown or empty content", async () => {
    await emulator.addProduct("other");
    expect((await side.get("/provision/download?vendor=other&model=other")).status).toBe(403);
    expect((await side.get("/provision/download?vendor=other&model=gw")).status).toBe(403);
    expect((await fetch(emulator.url + path)).status).toBe(401);
    expect((await side.get(`${path}&id=missing`)).status).toBe(404);
    await emulator.owner("POST", "/provision/manage/content/gw/", { form: { id: "empty" } });
    expect((await side.get(`${path}&id=empty`)).status).toBe(404);
  });

  test("an empty blob is a content of no bytes", async () => {
    await emulator.addContent("gw", "nothing", "");
    const response = await side.get(`${path}&id=nothing`);
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect((await side.get(`${path}&id=nothing`, { Range: "bytes=0-" })).status).toBe(416);
  });
});

describe("for the owner", () => {
  const manage = "/provision/manage/content/gw/";
  const any = Array.from({ length: 500 }, (_, index) => index + 100);

  test("create, upload, show, download, replace, remove", async () => {
    const status = async (method: string, rest: string, form?: Record<string, string>) =>
      (await emulator.owner(method, manage + rest, { accept: any, ...(form && { form }) })).status;
    expect(await status("POST", "", { id: "x y", meta: "m" })).toBe(205);
    expect(await status("POST", "", { id: "x y" })).toBe(409);
    expect(await (await emulator.owner("GET", `${manage}x%20y`)).text()).toMatch(/^,0,\d+,m,false\n$/);
    const upload = (body: string) =>
      emulator.owner("POST", `${manage}x%20y`, { headers: { "Content-Type": "text/plain" }, body });
    await upload("first");
    expect((await upload("second!")).status).toBe(205);
    expect(await (await emulator.owner("GET", `${manage}x%20y`)).text()).toMatch(
      /^text\/plain,7,\d{10},m,false\n$/,
    );
    const range = { headers: { Range: "bytes=-2" } };
    const download = await emulator.owner("GET", `${manage}x%20y?download=true`, range);
    expect([download.status, await download.text()]).toEqual([206, "d!"]);
    expect(await status("DELETE", "x%20y")).toBe(205);
    expect(await status("DELETE", "x%20y")).toBe(404);
    expect(await status("GET", "x%20y")).toBe(404);
    expect(await status("POST", "never-made")).toBe(404);
  });

  test("what was replaced or removed leaves no file", async () => {
    await using other = await startTestEmulator();
    await other.addContent("p", "a", "1");
    await other.addContent("p", "a", "2");
    await other.addContent("p", "b", "3");
    await other.removeContent("p", "b");
    expect(await storedBlobs(other.dataDirectory)).toHaveLength(1);
  });

  test("32 MB go through whole, from and to disk", async () => {
    const blob = randomBytes(32 * 1024 * 1024);
    await emulator.addContent("gw", "large", blob);
    const response = await side.get(`${path}&id=large`);
    const hash = createHash("sha256");
    for await (const chunk of response.body ?? []) hash.update(chunk);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(blob).digest("hex"));
    await emulator.removeContent("gw", "large");
  });

  test("an upload that breaks off changes nothing", async () => {
    await emulator.addContent("gw", "steady", "whole");
    const before = await storedBlobs(emulator.dataDirectory);
    await new Promise<void>((resolve) => {
      const headers = { "X-Exosite-Token": emulator.token, "Content-Length": 1_000_000 };
      const request = http.request(`${emulator.url}${manage}steady`, { method: "POST", headers });
      request.on("error", () => resolve());
      request.write(Buffer.alloc(200_000), () => request.destroy());
    });
    await emulator.waitForRequest({ procedure: "upload", status: 0 });
    expect(await (await side.get(`${path}&id=steady`)).text()).toBe("whole");
    expect(await storedBlobs(emulator.dataDirectory)).toEqual(before);
  });
});

describe("protected content", () => {
  const groups = "/provision/manage/group/vault/";
  const download = "/provision/download?vendor=vault&model=vault";
  let member: DeviceSide;

  const post = (path: string, form: Record<string, string>) => emulator.owner("POST", path, { form });
  const statusOf = async (id: string) => (await member.get(`${download}&id=${id}`)).status;

  beforeAll(async () => {
    const { cik } = await emulator.addActivated("vault", "m");
    member = new DeviceSide(emulator.url, cik);
    await emulator.addContent("vault", "free", "f");
    for (const id of ["direct", "nested", "expired"]) {
      await emulator.addContent("vault", id, id, { protected: true });
    }
  });

  test("is neither listed nor given without a group", async () => {
    expect(await (await member.get(download)).text()).toBe("free\n");
    expect(await statusOf("direct")).toBe(403);
    expect((await member.get(`${download}&id=direct&info=true`)).status).toBe(403);
    expect(await statusOf("free")).toBe(200);
  });

  test("is given through a group, also through groups in groups, until the link expires", async () => {
    for (const id of ["outer", "middle", "inner", "brief"]) await post(groups, { id });
    await post(`${groups}outer/`, { type: "content", id: "direct" });
    await post(`${groups}outer/`, { type: "group", id: "middle" });
    await post(`${groups}middle/`, { type: "group", id: "inner" });
    await post(`${groups}inner/`, { type: "sn", id: "m" });
    // A ring of groups must not turn the emulator in circles.
    await post(`${groups}inner/`, { type: "group", id: "outer" });
    await post(`${groups}inner/`, { type: "content", id: "nested" });
    await post(`${groups}brief/`, { type: "sn", id: "m", expire: "1000" });
    await post(`${groups}brief/`, { type: "content", id: "expired" });
    expect(await statusOf("direct")).toBe(200);
    expect(await statusOf("nested")).toBe(200);
    expect(await statusOf("expired")).toBe(403);
    expect(await (await member.get(download)).text()).toBe("direct\nfree\nnested\n");
    const forMember = await emulator.owner("GET", "/provision/manage/content/vault/?sn=m");
    expect(await forMember.text()).toBe("direct\nfree\nnested\n");
    const info = await emulator.owner("GET", "/provision/manage/content/vault/direct");
    expect(await info.text()).toMatch(/,true\n$/);
  });

  test("another serial of the product is not served", async () => {
    const { cik } = await emulator.addActivated("vault", "stranger");
    const stranger = new DeviceSide(emulator.url, cik);
    expect((await stranger.get(`${download}&id=direct`)).status).toBe(403);
  });
});
