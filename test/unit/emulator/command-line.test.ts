import { describe, expect, test } from "vitest";
import { parseCommandLine } from "../../../src/emulator/command-line.ts";

test.each([
  [[], "--data"],
  [["--data", "x", "--port", "70000"], "--port"],
  [["--data", "x", "--port", "1e3"], "--port"],
  [["--data", "x", "--nonsense"], "--nonsense"],
  [["--data", "x", "stray"], "stray"],
  [["--data", "x", "--fault", "{"], "--fault"],
  [["--data", "x", "--fault", '{"stauts":1}'], "stauts"],
  [["--data", "x", "--fault", '{"match":{"prosedure":"x"}}'], "prosedure"],
  [["--data", "x", "--fault", '{"status":99}'], "status"],
  [["--data", "x", "--fault", '{"match":{"procedure":"read"}}'], "latencyMs, drop, status"],
  [["--data", "x", "--fault", '{"latencyMs":1,"headers":{"Retry-After":"5"}}'], "go with a status"],
  [["--data", "x", "--product", "../x"], "../x"],
  [["--data", "x", "--drop", "2"], "--drop"],
  [["--data", "x", "--drop", ""], "--drop"],
  [["--data", "x", "--token", "a b"], "--token"],
  [["--data", "x", "--time-offset", "soon"], "--time-offset"],
] as const)("%j is refused, naming %s", (args, named) => {
  expect(() => parseCommandLine(args)).toThrow(named);
});

test("flags become options", () => {
  const fault = { match: { device: "1" }, status: 500 };
  const args = `--port 8080 --data d --token t --open-activation --product a --product b --strict-aliases
    --history 5 --time-offset=-60 --latency 10 --drop 0.25 --bytes-per-second 9 --offline-for 7 --fault-seed 3`;
  expect(parseCommandLine([...args.split(/\s+/), "--fault", JSON.stringify(fault)])).toEqual({
    kind: "run",
    offlineForMs: 7,
    options: {
      dataDirectory: "d",
      host: "127.0.0.1",
      port: 8080,
      token: "t",
      openActivation: true,
      strictAliases: true,
      historyLimit: 5,
      products: ["a", "b"],
      timeOffsetS: -60,
      faultSeed: 3,
      faults: [
        fault,
        { id: "latency", latencyMs: 10 },
        { id: "drop", drop: "before", probability: 0.25 },
        { id: "speed", bytesPerSecond: 9 },
      ],
    },
  });
});

test("--help and --version need nothing else", () => {
  expect(parseCommandLine(["-h"])).toEqual({ kind: "help" });
  expect(parseCommandLine(["--version", "--port", "1"])).toEqual({ kind: "version" });
});

describe("where everything is kept", () => {
  const url = "postgres:///murano?host=/run/postgresql";
  const place = (argv: readonly string[], environment = {}) => {
    const command = parseCommandLine(argv, environment);
    return command.kind === "run" && [command.options.dataDirectory, command.options.database];
  };

  test("a directory, or a database by argument or environment; an argument counts more", () => {
    expect(place(["--data", "d"])).toEqual(["d", undefined]);
    expect(place(["--database", url])).toEqual([undefined, url]);
    expect(place([], { MURANO_EMULATOR_DATABASE: url })).toEqual([undefined, url]);
    expect(place(["--data", "d"], { MURANO_EMULATOR_DATABASE: url })).toEqual(["d", undefined]);
  });

  test("not both, not neither, no other kind of database; and no message holds a password", () => {
    expect(() => place(["--data", "d", "--database", url])).toThrow("exclude");
    expect(() => place([])).toThrow("missing");
    expect(() => place(["--database", "mysql://me:secret@host/x"])).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
  });
});
