import { describe, expect, it } from "vitest";
import { parseArguments } from "../../../src/cli/arguments.ts";
import { UsageError } from "../../../src/cli/errors.ts";
import { allFlags } from "../../../src/cli/gwe-flags.ts";
import { gweHelp } from "../../../src/cli/gwe-help.ts";

const parse = (...argv: string[]) => {
  const { flags, positionals } = parseArguments(allFlags, argv);
  return { ...Object.fromEntries(flags), ...(positionals.length > 0 ? { positionals } : {}) };
};

describe("parseArguments", () => {
  it.each([
    [["--set-uuid", "5"], { "set-uuid": ["5"] }],
    [["--set-uuid=a=b"], { "set-uuid": ["a=b"] }],
    [["--set-uuid="], { "set-uuid": [""] }],
    [["-u", ""], { "set-uuid": [""] }],
    [["-t60"], { "set-update-interval": ["60"] }],
    [["-ot", "60"], { once: [], "set-update-interval": ["60"] }],
    [["-u", "1", "-u", "2"], { "set-uuid": ["2"] }],
    [["-c", "-"], { "set-cik": ["-"] }],
    [["--product-id", "x"], { "set-product-id": ["x"] }],
    [["--set-up", "9"], { "set-update-interval": ["9"] }],
    [["-I", "a", "b", "-o"], { "install-apps": ["a", "b"], once: [] }],
    [["-o", "--", "-x"], { once: [], positionals: ["-x"] }],
    [["-y", "-n", "a"], { "build-app": [], "app-name": ["a"] }],
    [["-y", "b.json", "-n", "a"], { "build-app": ["b.json"], "app-name": ["a"] }],
    [["-y"], { "build-app": [] }],
    [["--build-app-tarball=b.json"], { "build-app": ["b.json"] }],
    [["--check-tarfile", "a", "b"], { "check-tarball": ["a", "b"] }],
  ])("reads %j", (argv, expected) => {
    expect(parse(...argv)).toEqual(expected);
  });

  it.each([
    [["--set-uid", "5"], /did you mean --set-uuid\?/],
    [["--zzz"], /unknown option --zzz; -h lists all/],
    [["-k"], /unknown option -k/],
    [["-z"], /-z needs a value: FILE/],
    [["--set-u", "5"], /could be --set-uuid or --set-update-interval or --set-user-agent/],
    [["-u"], /-u needs a value: UUID/],
    [["-u", "-5"], /--set-uuid=-5/],
    [["-I"], /-I needs a value: TARBALL/],
    [["--once=1"], /--once takes no value/],
  ])("refuses %j and says why", (argv, why) => {
    expect(() => parse(...argv)).toThrow(UsageError);
    expect(() => parse(...argv)).toThrow(why);
  });
});

describe("gwe's options", () => {
  // The command line of the original, from its documentation.
  it.each([
    ..."h help,v version,p path,e engine-conf,g gateway-cfg,C gateway-cik,o once,I install-apps,c set-cik".split(
      ",",
    ),
    ..."m set-model,r set-vendor,P set-product-id,u set-uuid,i set-iface,l set-act-retry-interval".split(","),
    ..."d set-debug-level,t set-update-interval,a set-user-agent,x create-buildfile,y build-app".split(","),
    ..."n app-name,s app-version,w check-buildfile,z check-tarball".split(","),
  ])("has -%s in both forms and in the help", (pair) => {
    const [short = "", long = ""] = pair.split(" ");
    expect(allFlags.find((flag) => flag.short === short)?.long).toBe(long);
    expect(gweHelp).toContain(`-${short}, --${long}`);
  });

  it("uses no letter twice and fits into the help of a terminal", () => {
    const letters = allFlags.flatMap(({ short }) => short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
    expect(gweHelp.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });
});
