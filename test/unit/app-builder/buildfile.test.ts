import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildfileKeys, freshBuildfile, nameFault, readBuildfile } from "../../../src/app-builder/index.ts";
import { parsePackageName } from "../../../src/core/package-name.ts";

describe("readBuildfile", () => {
  it("fills in what may be left out", () => {
    expect(readBuildfile('{"name": "meter", "version": "1.2"}')).toEqual({
      outcome: "valid",
      buildfile: {
        name: "meter",
        version: "1.2",
        includes: ["**"],
        excludes: [],
        pre_build_cmds: [],
        post_build_cmds: [],
      },
    });
  });

  it("reads what --create-buildfile writes, which has every key", () => {
    const text = freshBuildfile("meter", "1");
    expect(readBuildfile(text)).toMatchObject({ outcome: "valid", buildfile: JSON.parse(text) });
    expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(buildfileKeys));
  });

  it("lets the command line's name and version stand in, also for missing ones", () => {
    const overrides = { name: "a", version: "9" };
    expect(readBuildfile('{"name": "x", "version": 3}', overrides)).toMatchObject({ buildfile: overrides });
    expect(readBuildfile("{}", overrides)).toMatchObject({ buildfile: overrides });
  });

  it("takes a byte order mark and Windows' line ends", () => {
    expect(readBuildfile('\uFEFF{\r\n"name": "a",\r\n"version": "1"\r\n}').outcome).toBe("valid");
  });

  it.each([
    ["[]", ["1:1: expected an object: {...}"]],
    ["{}", ["1:1: name: is missing", "1:1: version: is missing"]],
    [
      '{"name": "a",\n "version": 1.10}',
      ["2:13: version: expected text in quotes (as a number, 1.10 would be 1.1)"],
    ],
    [
      '{"name": "a", "version": "1",\n "include": ["x"]}',
      [expect.stringMatching(/^2:13: include: no such key; there are name, version, includes, /)],
    ],
    ['{"name": "a", "version": "1", "includes": "src"}', ["1:43: includes: expected a list: [...]"]],
    ['{"name": "a", "version": "1", "includes": []}', ["1:43: includes: nothing is included"]],
    [
      '{"name": "a", "version": "1", "includes": ["**"],\n "excludes": ["ok", "../x", "["]}',
      [
        expect.stringMatching(/^2:21: excludes\[1\]: "\.\.\/x": leads out/),
        expect.stringMatching(/^2:29: excludes\[2\]: "\[": '\[' without/),
      ],
    ],
    [
      '{"name": "a", "version": "1", "pre_build_cmds": ["make", 3]}',
      ["1:58: pre_build_cmds[1]: expected text: a shell command"],
    ],
    [
      '{"name": "a", "version": "1", "post_build_cmds": [" "]}',
      ["1:51: post_build_cmds[0]: an empty command"],
    ],
    [
      '{"name": "../a", "version": "1/2"}',
      [
        expect.stringMatching(/^1:10: name: the app name must be/),
        expect.stringMatching(/^1:29: version: the version must be/),
      ],
    ],
    [
      '{"name": "a", "version": "2.v3"}',
      [expect.stringMatching(/^1:26: version: .*app "a.v2", version "3"$/)],
    ],
  ])("names every fault of %j and its place", (text, faults) => {
    expect(readBuildfile(text)).toEqual({ outcome: "faulty", faults });
  });

  it("never throws, and accepts only names that the engine reads back as they are", () => {
    const anyText = fc.oneof(fc.string(), fc.constantFrom("a.v1", "a.v", "meter", "1.2"));
    fc.assert(
      fc.property(anyText, anyText, (name, version) => {
        const reading = readBuildfile(JSON.stringify({ name, version }));
        expect(reading.outcome === "valid").toBe(nameFault(name, version) === undefined);
        if (reading.outcome === "valid") {
          expect(parsePackageName(`${name}.v${version}.tar.gz`)).toMatchObject({ app: name, version });
        }
      }),
    );
    fc.assert(fc.property(fc.json(), (text) => readBuildfile(text).outcome !== undefined));
  });
});
