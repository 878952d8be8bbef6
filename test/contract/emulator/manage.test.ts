import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator();
});
afterAll(() => emulator.close());

const manage = "/provision/manage";
const any = Array.from({ length: 500 }, (_, index) => index + 100);

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function owner(
  method: string,
  path: string,
  form?: Record<string, string> | URLSearchParams,
): Promise<Answer> {
  return answerOf(
    await emulator.owner(method, path, {
      accept: any,
      ...(form && {
        body: new URLSearchParams(form).toString(),
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      }),
    }),
  );
}

async function send(method: string, path: string, type: string, body: string): Promise<Answer> {
  const headers = { "Content-Type": type };
  return answerOf(await emulator.owner(method, path, { accept: any, headers, body }));
}

async function answerOf(response: Response): Promise<Answer> {
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    body: await response.text(),
  };
}

describe("authorisation", () => {
  test.each([
    ["a wrong token", { "X-Exosite-Token": "wrong" }, 401],
    ["nothing", {}, 401],
    ["a wrong CIK", { "X-Exosite-CIK": "0".repeat(40) }, 401],
  ] as const)("%s", async (_what, headers, status) => {
    expect((await fetch(`${emulator.url}${manage}/model/`, { headers })).status).toBe(status);
  });

  test("the owner's CIK does as well as the token; a device's doesn't", async () => {
    const { cik } = await emulator.addActivated("authorised", "1");
    const as = (value: string) =>
      fetch(`${emulator.url}${manage}/model/`, { headers: { "X-Exosite-CIK": value } });
    expect((await as(emulator.cik)).status).toBe(200);
    expect((await as(cik)).status).toBe(401);
  });

  test("tokens are made, shown and taken away by the owner's CIK", async () => {
    const auth = async (method: string, path: string, body?: string) =>
      answerOf(
        await fetch(`${emulator.url}/provision/admin/auth/${path}`, {
          method,
          headers: {
            "X-Exosite-CIK": emulator.cik,
            "Content-Type": "application/x-www-form-urlencoded",
          },
          ...(body && { body }),
        }),
      );
    const made = await auth("POST", "", "id=ci");
    expect(made.status).toBe(200);
    expect((await auth("POST", "", "id=ci")).status).toBe(409);
    expect((await auth("GET", "")).body).toBe("ci\nfirst\n");
    expect((await auth("GET", "ci")).body).toBe(made.body);
    const models = () =>
      fetch(`${emulator.url}${manage}/model/`, { headers: { "X-Exosite-Token": made.body } });
    expect((await models()).status).not.toBe(401);
    expect((await auth("DELETE", "ci")).status).toBe(205);
    expect((await models()).status).toBe(401);
    expect((await auth("GET", "ci")).status).toBe(404);
    expect((await owner("GET", "/provision/admin/auth/")).status).toBe(401);
  });

  test("vendor names are registered once", async () => {
    expect((await owner("GET", "/provision/register")).status).toBe(204);
    expect((await owner("POST", "/provision/register", { vendor: "acme" })).status).toBe(205);
    expect((await owner("POST", "/provision/register", { vendor: "acme" })).status).toBe(409);
    expect((await owner("GET", "/provision/register")).body).toBe("acme\n");
    const remove = { delete: "true", vendor: "acme" };
    expect((await owner("POST", "/provision/register", remove)).status).toBe(205);
    expect((await owner("GET", "/provision/register")).status).toBe(204);
  });

  test("sharing is 501", async () => {
    expect((await owner("GET", `${manage}/share/`)).status).toBe(501);
    expect((await owner("POST", `${manage}/share/gw`, { vendor: "x" })).status).toBe(501);
  });
});

describe("models", () => {
  test("create, list, show, update, remove", async () => {
    const model = `${manage}/model/`;
    expect(await owner("POST", model, { model: "m1", rid: "r1", "options[]": "vendor" })).toMatchObject({
      status: 205,
      body: "",
    });
    expect((await owner("POST", model, { model: "m1" })).status).toBe(409);
    expect((await owner("POST", model, { model: "a/b" })).status).toBe(400);
    expect((await owner("POST", model, {})).status).toBe(400);
    const list = await owner("GET", model);
    expect(list).toMatchObject({ status: 200, type: "text/csv; charset=utf-8" });
    expect(list.body.split("\n")).toContain("m1");
    expect((await owner("GET", `${model}m1`)).body).toBe("m1,r1,vendor\n");
    expect((await owner("PUT", `${model}m1`, { rid: "r2" })).status).toBe(205);
    expect((await owner("GET", `${model}m1`)).body).toBe("m1,r2,vendor\n");
    expect((await owner("DELETE", `${model}m1`)).status).toBe(205);
    expect((await owner("GET", `${model}m1`)).status).toBe(403);
    expect((await owner("POST", model, { model: "m1" })).status).toBe(205);
    expect((await owner("POST", model, { delete: "true", model: "m1" })).status).toBe(205);
    expect((await owner("POST", model, { delete: "true", model: "m1" })).status).toBe(403);
  });

  test("a removed model takes serials, CIKs and content along", async () => {
    const { cik } = await emulator.addActivated("doomed", "1");
    await emulator.addContent("doomed", "a.tar.gz", "blob");
    expect((await owner("DELETE", `${manage}/model/doomed`)).status).toBe(205);
    const headers = { "X-Exosite-CIK": cik };
    expect((await fetch(`${emulator.url}/onep:v1/stack/alias?x`, { headers })).status).toBe(401);
    await emulator.addProduct("doomed");
    expect((await owner("GET", `${manage}/model/doomed/`)).status).toBe(204);
    expect((await owner("GET", `${manage}/content/doomed/`)).status).toBe(204);
  });

  test("a model's rid gives its devices their dataports", async () => {
    const template = await emulator.addSerial("templates", "t");
    await template.write("thermostat", "20");
    const form = { model: "from-template", rid: await template.rid() };
    expect((await owner("POST", `${manage}/model/`, form)).status).toBe(205);
    const device = await emulator.addSerial("from-template", "1");
    const listing = (await device.rpc("info", [{ alias: "" }])) as { aliases: Record<string, string[]> };
    expect(Object.values(listing.aliases).flat().sort()).toEqual([
      "device_info",
      "engine_fetch",
      "engine_report",
      "fetch_status",
      "thermostat",
      "update_interval",
      "usage_report",
    ]);
  });
});

describe("serials", () => {
  const path = `${manage}/model/serials/`;
  beforeAll(() => emulator.addProduct("serials"));

  test("one, several, in bulk; existing ones are 409 and nothing is added", async () => {
    expect((await owner("GET", path)).status).toBe(204);
    expect((await owner("POST", path, { sn: "s1", extra: "a, b" })).status).toBe(205);
    const several = new URLSearchParams([
      ["sn[]", "s2"],
      ["sn[]", "s3"],
    ]);
    expect((await owner("POST", path, several)).status).toBe(205);
    expect((await send("POST", path, "text/csv", 's4,"quoted ""x"""\r\ns5,\n')).status).toBe(205);
    expect(await send("POST", path, "text/csv", "s6,\ns1,\n")).toMatchObject({ status: 409, body: "s1\n" });
    expect((await owner("GET", path)).body).toBe('s1,,"a, b"\ns2,,\ns3,,\ns4,,"quoted ""x"""\ns5,,\n');
    expect((await owner("GET", `${path}?status=true&offset=3&limit=5`)).body).toBe(
      's4,,,"quoted ""x"""\ns5,,,\n',
    );
    expect((await owner("GET", `${path}?offset=5`)).status).toBe(204);
    expect((await owner("GET", `${path}?limit=4`)).status).toBe(400);
    expect((await owner("GET", `${path}?limit=1001`)).status).toBe(400);
    expect((await owner("POST", path, { delete: "true", sn: "s2" })).status).toBe(205);
    expect((await send("DELETE", path, "text/csv", "s3\ns4\n")).status).toBe(205);
    expect((await owner("DELETE", `${path}s5`)).status).toBe(205);
    expect((await owner("DELETE", `${path}s5`)).status).toBe(404);
    expect((await owner("GET", path)).body).toBe('s1,,"a, b"\n');
  });

  test("show: 204 unused, then status and rid; 404 unknown", async () => {
    await owner("POST", path, { sn: "shown", extra: "shelf 3" });
    expect((await owner("GET", `${path}shown`)).status).toBe(204);
    expect((await owner("GET", `${path}unknown`)).status).toBe(404);
    expect((await owner("POST", `${path}unknown`, { enable: "true" })).status).toBe(404);
    const created = await owner("POST", `${path}shown`, { enable: "true", owner: "0".repeat(40) });
    expect(created).toMatchObject({ status: 200 });
    expect(created.body).toMatch(/^[0-9a-f]{40}$/);
    expect((await owner("GET", `${path}shown`)).body).toBe(`notactivated,${created.body},shelf 3\n`);
    expect(await owner("POST", `${path}shown`, { enable: "true" })).toMatchObject({ status: 205, body: "" });
    expect((await owner("POST", `${path}shown`, { disable: "true" })).status).toBe(205);
    expect((await owner("POST", `${path}shown`, {})).status).toBe(400);
    expect((await owner("GET", `${path}shown?show=groups`)).status).toBe(204);
  });

  test.each([
    ["base10", { format: "base10", length: 6, first: 100, last: 200 }, "000150", ["150", "000201", "00015x"]],
    [
      "base16",
      { format: "base16", length: 4, casing: "upper", first: 0xff00, last: 0xffff },
      "FFA0",
      ["ffa0", "FEFF", "FFA"],
    ],
    [
      "mac:48",
      { format: "mac:48", length: 17, casing: "upper", first: 0xaabbcc000000, last: 0xaabbccffffff },
      "AA:BB:CC:12:34:56",
      ["AA-BB-CC-12-34-56", "AA:BB:CD:00:00:00"],
    ],
    [
      "mac-48",
      { format: "mac-48", first: 1, last: 2 },
      "00-00-00-00-00-02",
      ["00-00-00-00-00-03", "000000000002"],
    ],
    ["mac.48", { format: "mac.48", first: 1, last: 2 }, "0000.0000.0001", ["0000.0000.0000"]],
  ])("a range of %s allows its members without listing them", async (name, range, inside, outside) => {
    const product = `range-${name.replace(":", "_")}`;
    await emulator.addProduct(product);
    const base = `${manage}/model/${product}/`;
    const body = JSON.stringify({ ranges: [range] });
    expect((await send("POST", base, "application/json", body)).status).toBe(205);
    expect((await send("POST", base, "application/json", body)).status).toBe(409);
    expect((await owner("GET", base)).status).toBe(204);
    const shown = JSON.parse((await owner("GET", `${base}?show=ranges`)).body);
    expect(shown.ranges[0]).toMatchObject(range);
    for (const sn of outside) expect((await owner("GET", base + sn)).status).toBe(404);
    expect((await owner("GET", base + inside)).status).toBe(204);
    const device = emulator.device(product, inside);
    await expect(device.activate()).rejects.toThrow("409");
    await device.enable();
    expect(await device.activate()).toHaveLength(40);
    const removal = JSON.stringify({ ranges: [range], delete: true });
    expect((await send("POST", base, "application/json", removal)).status).toBe(205);
    expect(JSON.parse((await owner("GET", `${base}?show=ranges`)).body)).toEqual({ ranges: [] });
  });

  test.each([
    "{",
    '{"ranges":[]}',
    '{"ranges":[{"format":"base10","first":2,"last":1,"length":3}]}',
    '{"ranges":[{"format":"base9","first":1,"last":2}]}',
  ])("a bad range is 400: %s", async (body) => {
    expect((await send("POST", path, "application/json", body)).status).toBe(400);
  });

  test("another body type is 415, broken CSV 400", async () => {
    expect((await send("POST", path, "text/plain", "s9")).status).toBe(415);
    expect((await send("POST", path, "text/csv", 's9,"open')).status).toBe(400);
  });

  test("DELETE with rows never removes the model", async () => {
    await emulator.addSerial("careful", "1");
    expect((await send("DELETE", `${manage}/model/careful`, "text/csv", "1\n")).status).toBe(205);
    expect((await owner("GET", `${manage}/model/careful`)).status).toBe(200);
  });
});

describe("groups", () => {
  const path = `${manage}/group/groups/`;
  beforeAll(() => emulator.addProduct("groups"));

  test("groups and members come and go", async () => {
    expect((await owner("GET", path)).status).toBe(204);
    expect((await owner("POST", path, { id: "g", meta: "x" })).status).toBe(205);
    expect((await owner("POST", path, { id: "g" })).status).toBe(409);
    expect((await owner("GET", path)).body).toBe("g\n");
    expect((await owner("GET", `${path}g/`)).status).toBe(204);
    expect((await owner("GET", `${path}nope/`)).status).toBe(404);
    const member = { type: "sn", id: "1", expire: "4000000000", meta: "m" };
    expect((await owner("POST", `${path}g/`, member)).status).toBe(205);
    expect((await owner("POST", `${path}g/`, member)).status).toBe(409);
    const several = new URLSearchParams([
      ["type", "content"],
      ["id[]", "a"],
      ["id[]", "b"],
    ]);
    expect((await owner("POST", `${path}g/`, several)).status).toBe(205);
    expect((await send("POST", `${path}g/`, "text/csv", "sn,2,,\ncontent,c,,note\n")).status).toBe(205);
    expect((await owner("GET", `${path}g/`)).body).toBe(
      "content,a,,\ncontent,b,,\ncontent,c,,note\nsn,1,4000000000,m\nsn,2,,\n",
    );
    expect((await owner("GET", `${path}g/?type=sn&id=2`)).body).toBe("sn,2,,\n");
    await emulator.addSerial("groups", "1");
    expect((await owner("GET", `${manage}/model/groups/1?show=groups`)).body).toBe("g\n");
    expect((await owner("POST", `${path}g/`, { delete: "true", type: "sn", id: "1" })).status).toBe(205);
    expect((await send("DELETE", `${path}g/`, "text/csv", "content,a\ncontent,b\n")).status).toBe(205);
    expect((await owner("GET", `${path}g/`)).body).toBe("content,c,,note\nsn,2,,\n");
    expect((await owner("POST", `${path}g/`, { type: "dog", id: "1" })).status).toBe(400);
    expect((await owner("POST", `${path}g/`, { type: "sn", id: "9", expire: "soon" })).status).toBe(400);
    expect((await owner("DELETE", `${path}g`)).status).toBe(205);
    expect((await owner("POST", path, { delete: "true", id: "g" })).status).toBe(404);
  });

  test("a bad model is 403 everywhere", async () => {
    for (const kind of ["model", "content", "group"]) {
      expect((await owner("GET", `${manage}/${kind}/nowhere/`)).status).toBe(403);
    }
  });
});
