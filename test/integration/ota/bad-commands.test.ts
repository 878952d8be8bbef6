import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { maxDataportBytes } from "../../../src/core/reports.ts";
import { goodPackage, packageWith } from "../../support/ota-archives.ts";
import { OtaHarness } from "../../support/ota-harness.ts";

let harness: OtaHarness;

beforeEach(async () => {
  harness = new OtaHarness();
  harness.ota.start();
  await harness.pretendInstalled("meter", "1");
});
afterEach(() => harness.dispose());

describe("a value of engine_fetch", () => {
  it.each([
    ["that is not JSON", "install meter please", /not JSON/],
    ["that is a list", '["meter.v1.tar.gz"]', /a JSON list instead of an object/],
    [
      "whose install is no list",
      '{"install":"meter.v1.tar.gz"}',
      /"install" is a JSON string instead of a list/,
    ],
    ["with nothing to do", "{}", /nothing to do/],
    ["with a typing mistake", '{"instal":[{"name":"meter.v2.tar.gz"}]}', /unknown key "instal"/],
    [
      "with too many packages",
      JSON.stringify({ install: Array(129).fill({ name: "a.v1.tar.gz" }) }),
      /has 129 entries; one command may have 128/,
    ],
  ])("%s is reported with what is wrong and what was expected", async (_what, text, problem) => {
    const outcome = harness.ota.accept({ text, serverTimestamp: 1_700_000_000 });
    expect(outcome.kind).toBe("malformed");
    expect(harness.reports()).toEqual([
      {
        id: "1700000000",
        apps: [],
        error: expect.stringMatching(problem),
        expected: expect.stringContaining('{"install":[{"name":"<app>.v<version>.tar.gz"}]}'),
      },
    ]);
    expect(harness.host.deployed).toEqual(["meter 1"]);
    // Read again before it was cleared: reported once.
    expect(harness.ota.accept({ text, serverTimestamp: 1_700_000_000 }).kind).toBe("repeated");
    expect(harness.reports()).toHaveLength(1);
  });

  it("with one bad entry installs the others and reports each", async () => {
    harness.content.files.set("pump.v2.tar.gz", goodPackage);
    await harness.send({
      id: "mixed",
      unheard: 1,
      install: [
        { name: "../../etc/passwd.v1.tar.gz" },
        "pump.v2.tar.gz",
        { name: "absent.v1.tar.gz" },
        { name: "gwe.v2.0.0.tar.gz" },
        { name: "meld3.v1.0.tar.gz" },
        { name: "pump.v2.tar.gz", minisig: "…" },
        { name: "pump.v2.tar.gz" },
      ],
    });
    const [report] = harness.reports();
    expect(report).toMatchObject({ id: "mixed", error: 'unknown key "unheard": ignored' });
    expect(report?.apps.map(({ name, status, output }) => [name, status, output])).toEqual([
      ["../../etc/passwd.v1.tar.gz", "failed", expect.stringContaining("bad package name")],
      ["pump.v2.tar.gz", "failed", expect.stringContaining('expected {"name"')],
      ["absent", "failed", 'gwe: Murano has no content "absent.v1.tar.gz" for this product (404)\n'],
      ["gwe", "failed", expect.stringContaining("only a running engine replaces itself")],
      ["meld3", "skipped", expect.stringContaining("part of the original")],
      ["pump", "failed", expect.stringContaining('unknown key "minisig"')],
      ["pump", "installed", "installing pump 2\n"],
    ]);
  });

  it("that only asks for reports gets no fetch_status", () => {
    expect(harness.ota.accept({ text: '{"report":true}' })).toMatchObject({
      kind: "accepted",
      reportWanted: true,
    });
    expect(harness.reports()).toEqual([]);
  });

  it("naming a hundred apps is worked through and reported in one value that fits the dataport", async () => {
    const chatty = packageWith("#!/bin/sh\nhead -c 30000 /dev/urandom\necho last words\n");
    const names = Array.from({ length: 100 }, (_, index) => `app${index}.v1.tar.gz`);
    for (const name of names.slice(0, 20)) harness.content.files.set(name, chatty);
    await harness.send({ install: names.map((name) => ({ name })) });
    const [report] = harness.reports();
    expect(report?.apps.map(({ name }) => `${name}.v1.tar.gz`)).toEqual(names);
    expect(report?.apps.map(({ status }) => status)).toEqual(
      names.map((_, index) => (index < 20 ? "installed" : "failed")),
    );
    expect(report?.apps.slice(0, 20).every(({ output }) => output.endsWith("last words\n"))).toBe(true);
    expect(report?.apps[20]?.output).toContain("Murano has no content");
    expect(Buffer.byteLength(harness.reportTexts()[0] ?? "")).toBeLessThanOrEqual(maxDataportBytes);
  });
});

describe("the identity of a command", () => {
  const command = { text: '{"install":[{"name":"meter.v2.tar.gz"}]}' };

  beforeEach(() => {
    harness.content.files.set("meter.v2.tar.gz", goodPackage);
  });

  it("is the server's time: the same text at another time is another command", async () => {
    const first = harness.ota.accept({ ...command, serverTimestamp: 1 });
    expect(harness.ota.accept({ ...command, serverTimestamp: 1 })).toMatchObject({
      kind: "repeated",
      key: first.key,
    });
    expect(harness.ota.accept({ ...command, serverTimestamp: 2 }).kind).toBe("accepted");
  });

  it("is the text where no time is known, until its clearing is acknowledged", async () => {
    const first = harness.ota.accept(command);
    expect(harness.ota.accept(command)).toMatchObject({ kind: "repeated", key: first.key });
    harness.ota.acknowledgeCleared(first.key);
    await harness.ota.idle();
    expect(harness.ota.accept(command).kind).toBe("accepted");
    harness.ota.acknowledgeEmpty();
    await harness.ota.idle();
    expect(harness.host.deployed).toEqual(["meter 1", "meter 2", "meter 2"]);
  });

  it("is known by its text when only one of two readings told the time", () => {
    harness.ota.accept(command);
    expect(harness.ota.accept({ ...command, serverTimestamp: 5 }).kind).toBe("repeated");
  });

  it("is its own id where it carries one", () => {
    const withId = (text: string) => harness.ota.accept({ text, serverTimestamp: 1 }).kind;
    expect(withId('{"id":"a","install":[{"name":"meter.v2.tar.gz"}]}')).toBe("accepted");
    expect(withId('{"install":[{"name":"meter.v2.tar.gz"}], "id":"a"}')).toBe("repeated");
    expect(withId('{"id":"b","install":[{"name":"meter.v2.tar.gz"}]}')).toBe("accepted");
  });

  it("outlives a restart, so that a command that was not cleared is not run again", async () => {
    await harness.send({ id: "once", install: [{ name: "meter.v2.tar.gz" }] });
    const open = harness.ota.accept(command);
    await harness.ota.stop();
    const again = new OtaHarness({}, harness.home);
    expect(again.ota.accept(command)).toMatchObject({ kind: "repeated", key: open.key });
    await again.dispose();
  });
});

describe("work on a command", () => {
  it("begins when its clearing is acknowledged", async () => {
    harness.content.files.set("meter.v2.tar.gz", goodPackage);
    const { key } = harness.ota.accept({ text: '{"install":[{"name":"meter.v2.tar.gz"}]}' });
    expect(harness.ota.jobs()).toEqual([{ app: "meter", version: "2", state: "received" }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(harness.content.requests).toEqual([]);
    harness.ota.acknowledgeCleared(key);
    await harness.ota.idle();
    expect(harness.host.installed("meter")?.version).toBe("2");
  });

  it("begins after a grace when nothing acknowledges it", async () => {
    await harness.dispose();
    harness = new OtaHarness({ limits: { clearingGraceMs: 20 } });
    harness.ota.start();
    harness.content.files.set("meter.v2.tar.gz", goodPackage);
    harness.ota.accept({ text: '{"install":[{"name":"meter.v2.tar.gz"}]}' });
    await harness.ota.idle();
    expect(harness.host.installed("meter")?.version).toBe("2");
  });
});

describe("the text format", () => {
  it("is what the installers printed", async () => {
    await harness.dispose();
    harness = new OtaHarness({ fetchStatusFormat: "text" });
    harness.ota.start();
    harness.content.files.set("a.v1.tar.gz", goodPackage);
    harness.content.files.set("b.v1.tar.gz", packageWith("#!/bin/sh\necho b\nexit 3\n"));
    await harness.send({ install: [{ name: "a.v1.tar.gz" }, { name: "b.v1.tar.gz" }] });
    expect(harness.reportTexts()).toEqual(["installing a 1\nb\ngwe: install.sh ended with exit status 3\n"]);
  });
});
