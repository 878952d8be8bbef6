import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { installedVersions } from "../../../../src/cli/import/installed-versions.ts";
import { planImport } from "../../../../src/cli/import/plan.ts";
import { readProgramFile, supervisorConf } from "../../../../src/cli/import/programs.ts";
import { IniDocument } from "../../../../src/core/ini.ts";
import { parseSupervisorConf } from "../../../../src/supervisor/index.ts";

const parse = (text: string): IniDocument => IniDocument.parse(text);

describe("installed versions", () => {
  it.each([
    ["[engine]\napps = [{'counter': '1.2'}, {u'ntp_updater': u'1-0-6'}]\n"],
    ['[engine]\nversions = {"counter": "1.2", "ntp_updater": "1-0-6"}\n'],
    ["[apps]\ncounter = 1.2\nntp_updater = 1-0-6\n"],
    ["[engine]\napps = [{'counter': 1.2},\n  {'ntp_updater': '1-0-6'}]\n"],
  ])("are found in %j", (text) => {
    expect([...installedVersions(parse(text))]).toEqual([
      ["counter", "1.2"],
      ["ntp_updater", "1-0-6"],
    ]);
  });

  it("survive every spelling of theirs", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_.+-]{1,20}$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(word, word), { selector: ([app]) => app }),
        fc.boolean(),
        (apps, isJson) => {
          const quote = isJson ? '"' : "'";
          const list = apps
            .map(([app, version]) => `{${quote}${app}${quote}: ${quote}${version}${quote}}`)
            .join(", ");
          expect([...installedVersions(parse(`[engine]\napps = [${list}]\n`))]).toEqual(apps);
        },
      ),
    );
  });

  it("are not seen in other settings", () => {
    expect(
      installedVersions(parse("[engine]\nuser_agent = GatewayEngine-v1.2\nurl = http://x:80\n")).size,
    ).toBe(0);
  });
});

const conf = `[program:meter]
command=python %(here)s/../meter.py --rate 50%%
environment=A="1",
    B="2"
autorestart=true
[program:gwe]
command=gwe
[group:both]
programs=meter
`;

describe("a program of supervisord's", () => {
  it("is told from the original's parts and from what is no program", () => {
    const { programs, originalParts, others } = readProgramFile("/etc/supervisor/conf.d/a.conf", conf);
    expect(programs.map(({ name }) => name)).toEqual(["meter"]);
    expect({ originalParts, others }).toEqual({ originalParts: ["gwe"], others: ["group:both"] });
  });

  it("means the same as a supervisor.conf of ours", () => {
    const [program] = readProgramFile("/etc/supervisor/conf.d/a.conf", conf).programs;
    expect(program).toBeDefined();
    if (program === undefined) return;
    const text = supervisorConf(program, "/etc/supervisor/conf.d");
    const source = {
      text,
      appName: "meter",
      here: "/somewhere/else",
      logDir: "/var/log",
      hostName: "h",
      environment: {},
    };
    const [process] = parseSupervisorConf(source).processes;
    expect(process).toMatchObject({
      command: ["python", "/etc/supervisor/conf.d/../meter.py", "--rate", "50%"],
      directory: "/",
      environment: { A: "1", B: "2" },
    });
  });
});

describe("the plan", () => {
  const none = parse("");
  const original = {
    gatewayCfg: parse(
      "[device]\ncik = 3803226073f6f2feb51a9010bd1d3e53143214a7\nuuid = SN\nvendor = abc\nmodel = ''\ncolour = blue\n",
    ),
    engineConfig: parse(
      "[engine]\nupdate_interval = 60\nuser_agent = GatewayEngine-v1.3.2\napps = [{'meter': '1.2'}, {'once': '3'}]\n",
    ),
    gmqCfg: parse("[unq]\nbatch_qty = 5\n"),
    programFiles: [
      readProgramFile("/c/meter.conf", "[program:meter]\ncommand=sleep 1\n"),
      readProgramFile("/c/odd.conf", "[program:odd]\ncommand=sleep 1\nstopsignal=SIGNONE\n"),
      readProgramFile("/c/gwe.conf", "[program:gwe]\ncommand=gwe\n"),
      readProgramFile("/c/kept.conf", "[program:kept]\ncommand=sleep 1\n"),
    ],
    except: ["kept"],
  };
  const plan = planImport(original, ({ key }) => (key === "colour" ? "no such key: colour" : undefined));

  it("takes identity, settings, the queue's options and applications with their versions", () => {
    expect(plan.changes.map(({ key, value }) => [key, value])).toEqual([
      ["cik", "3803226073f6f2feb51a9010bd1d3e53143214a7"],
      ["uuid", "SN"],
      ["vendor", "abc"],
      ["update_interval", "60"],
    ]);
    expect(plan.queueChanges).toEqual([{ section: "unq", key: "batch_qty", value: "5" }]);
    expect(plan.apps.map(({ name, version, isVersionKnown }) => [name, version, isVersionKnown])).toEqual([
      ["meter", "1.2", true],
    ]);
  });

  it("leaves to supervisord what it cannot run, and says why; a file that holds such stays", () => {
    expect(plan.emptiedFiles).toEqual(["/c/meter.conf", "/c/gwe.conf"]);
    const notes = plan.notes.join("\n");
    for (const note of [
      /colour/,
      /odd stays supervisord's: .*stopsignal/,
      /kept stays supervisord's: as asked/,
      /once 3 was installed without a program/,
    ]) {
      expect(notes).toMatch(note);
    }
    expect(
      planImport(
        { ...original, gatewayCfg: none, engineConfig: none, programFiles: [], gmqCfg: none },
        () => undefined,
      ).apps,
    ).toEqual([]);
  });
});
