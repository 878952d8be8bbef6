import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxEntries, parseCommand } from "../../../src/ota/command.ts";

describe("parseCommand", () => {
  it("reads an install command with everything that it may hold", () => {
    const sha256 = "AB".repeat(32);
    const text = JSON.stringify({
      id: 7,
      report: true,
      install: [{ name: "a.b.v1-0_2.tar.gz", sha256, signature: "s" }],
    });
    expect(parseCommand(`\n ${text} `)).toEqual({
      kind: "command",
      id: "7",
      report: true,
      problems: [],
      tasks: [],
      installs: [
        {
          kind: "package",
          package: { file: "a.b.v1-0_2.tar.gz", app: "a.b", version: "1-0_2" },
          sha256: sha256.toLowerCase(),
          signature: "s",
        },
      ],
    });
  });

  it.each(["gwe", "gateway-engine", "GatewayEngine", "GatewayEngine-update"])(
    "takes %s for the engine itself: the machine that it is for is no part of its version",
    (app) => {
      const file = `${app}.v2.0-rc1-linux-x64.tar.gz`;
      const parsed = parseCommand(JSON.stringify({ install: [{ name: file }] }));
      expect(parsed).toMatchObject({
        installs: [{ kind: "package", package: { file, app, version: "2.0-rc1" } }],
      });
    },
  );

  it.each(["gmq", "device-client", "supervisor", "meld3", "elementtree"])(
    "skips %s, a part of the original",
    (app) => {
      const parsed = parseCommand(JSON.stringify({ install: [{ name: `${app}.v1.tar.gz` }] }));
      expect(parsed).toMatchObject({ installs: [{ kind: "skipped", name: app }] });
    },
  );

  it.each([
    ['{"install":[{"name":"a.v1.tar.gz","sha256":"abc"}]}', /64 hexadecimal/],
    ['{"install":[{"name":"a.v1.tar.gz","minisig":"x"}]}', /unknown key "minisig"/],
    ['{"install":[{"name":"a.v1.tar.gz","signature":""}]}', /"signature" must be a text of 1 to 16384 bytes/],
    ['{"install":[{"name":"a.v1.tar.gz","signature":{}}]}', /"signature" must be a text/],
    [`{"install":[{"name":"a.v1.tar.gz","signature":"${"é".repeat(8193)}"}]}`, /16384 bytes/],
    ['{"install":[{"name":7}]}', /expected \{"name"/],
    ['{"install":[null]}', /expected \{"name"/],
    ['{"install":[{"name":"a.tar.gz"}]}', /no '\.v'/],
  ])("refuses the entry of %s and says why", (text, reason) => {
    expect(parseCommand(text)).toMatchObject({
      kind: "command",
      installs: [{ kind: "refused", reason: expect.stringMatching(reason) }],
    });
  });

  it("names what it does not know beside what it does", () => {
    const text = '{"id":{},"report":true,"Configure":{},"Install":[]}';
    expect(parseCommand(text)).toMatchObject({
      kind: "command",
      id: undefined,
      report: true,
      problems: [
        'unknown key "Configure": ignored',
        'unknown key "Install": ignored',
        expect.stringContaining('"id" must be'),
      ],
    });
  });

  it("reads settings as texts, whatever way JSON has them", () => {
    const text =
      '{"configure":{"update_interval":600,"check_in":"long-poll","probation":null,"user_agent":"\'\'","x":true}}';
    expect(parseCommand(text)).toMatchObject({
      tasks: [
        {
          kind: "task",
          name: "gateway-engine",
          task: {
            verb: "configure",
            settings: {
              update_interval: "600",
              check_in: "long-poll",
              probation: "",
              user_agent: "",
              x: "true",
            },
          },
        },
      ],
    });
  });

  it.each([
    ["[]", /expects \{"<key>":"<value>"\}/],
    ["7", /expects/],
    ["{}", /names no setting/],
    [
      '{"update_interval":600,"check_in":["x"],"probation":{}}',
      /"check_in": expected a text.*"probation": expected/,
    ],
    [`{"user_agent":"${"x".repeat(1001)}"}`, /longer than 1000/],
    [`{${Array.from({ length: 65 }, (_, n) => `"k${n}":1`).join(",")}}`, /more than 64/],
  ])("refuses all settings of %s and says why", (settings, reason) => {
    const { tasks } = parseCommand(`{"configure":${settings}}`) as { tasks?: unknown };
    expect(tasks).toEqual([
      { kind: "refused", verb: "configure", name: "gateway-engine", reason: expect.stringMatching(reason) },
    ]);
  });

  it("never throws, and keeps every text that it gives back short", () => {
    const junk = fc.oneof(fc.string(), fc.json(), commandLike);
    fc.assert(
      fc.property(junk, (text) => {
        const parsed = parseCommand(text);
        if (parsed.kind === "malformed") return parsed.problem.length < 2_000;
        if (parsed.installs.length > maxEntries) return false;
        return parsed.installs.every((entry) => entry.kind === "package" || entry.reason.length < 1_000);
      }),
    );
  });
});

const commandLike = fc
  .record(
    {
      id: fc.anything(),
      report: fc.anything(),
      install: fc.array(fc.oneof(fc.anything(), fc.record({ name: fc.string(), sha256: fc.anything() }))),
    },
    { requiredKeys: [] },
  )
  .map((value) => {
    try {
      return JSON.stringify(value) ?? "";
    } catch {
      return "{}";
    }
  });
