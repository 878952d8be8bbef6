import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import {
  NetworkError,
  type Point,
  type ReadHistoryOptions,
  RejectedError,
  UnauthorizedError,
} from "../../../src/device-client/index.ts";
import { CommandIntake, EngineFacts, engineMigrations } from "../../../src/engine/index.ts";
import { testDatabase } from "../../support/engine-database.ts";

/** The alias `engine_fetch` as Murano keeps it: every write a point, the last one the value. */
class FetchAlias {
  readonly points: Point[] = [];
  now = 1_000;
  historyFails: Error | undefined;
  /** Runs just before the gateway's clearing is stored. */
  beforeClear: () => void = () => undefined;
  afterClear: () => void = () => undefined;
  clearFails: Error | undefined;

  write(value: string): void {
    this.points.push([this.now++, value]);
  }

  get value(): string {
    return this.points.at(-1)?.[1] ?? "";
  }

  readonly api = {
    readHistory: async (_alias: string, options: ReadHistoryOptions = {}): Promise<readonly Point[]> => {
      if (this.historyFails) throw this.historyFails;
      const since = this.points.filter(([timestamp]) => timestamp >= (options.startTime ?? 0));
      const ordered = options.sort === "desc" ? since.toReversed() : since;
      return ordered.slice(0, options.limit ?? 1);
    },
    write: async (values: Readonly<Record<string, string>>) => {
      this.beforeClear();
      if (this.clearFails) throw this.clearFails;
      this.write(values.engine_fetch ?? "missing");
      this.afterClear();
      return { serverTimeMs: undefined };
    },
  };
}

/** Counts what would run, with the pipeline's own rule: a command is known until its clearing was acknowledged. */
class Sink {
  readonly ran: string[] = [];
  private readonly open = new Set<string>();

  accept({ text, serverTimestamp }: { text: string; serverTimestamp?: number }): { key: string } {
    const key = `${serverTimestamp ?? "none"}:${text}`;
    if (!this.open.has(key)) this.ran.push(text);
    this.open.add(key);
    return { key };
  }

  acknowledgeCleared(key: string): void {
    this.open.delete(key);
  }

  acknowledgeEmpty(): void {
    this.open.clear();
  }
}

function setUp() {
  const alias = new FetchAlias();
  const sink = new Sink();
  const facts = new EngineFacts(testDatabase(engineMigrations));
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  const intake = new CommandIntake({
    api: alias.api,
    history: alias.api,
    sink,
    facts,
    hash,
    logger: silentLogger,
  });
  /** One check-in as far as commands go. */
  const checkIn = async (): Promise<void> => {
    if (alias.value !== "") await intake.take({ text: alias.value, serverTimeMs: alias.now * 1000 }, {});
    else await intake.nothingThere({});
  };
  return { alias, sink, facts, intake, checkIn };
}

const network = new NetworkError("connection reset", { procedure: "write", requestSent: true });

describe("taking commands over from engine_fetch", () => {
  it("runs a command once and clears the alias", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    await checkIn();
    await checkIn();
    expect(sink.ran).toEqual(["install A"]);
    expect(alias.value).toBe("");
  });

  it("takes the same text next month for a new command", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    await checkIn();
    alias.write("install A");
    await checkIn();
    expect(sink.ran).toEqual(["install A", "install A"]);
  });

  it("runs a command only once whose clearing was lost", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.clearFails = network;
    await expect(checkIn()).rejects.toBe(network);
    alias.clearFails = undefined;
    await checkIn();
    expect(sink.ran).toEqual(["install A"]);
    expect(alias.value).toBe("");
  });

  it("does not lose a command that the clearing overwrote", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.beforeClear = () => {
      alias.beforeClear = () => undefined;
      alias.write("install B");
    };
    await checkIn();
    expect(sink.ran).toEqual(["install A", "install B"]);
    await checkIn();
    expect(sink.ran).toHaveLength(2);
  });

  it("leaves a command that came after the clearing to the next check-in, and runs it once", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.afterClear = () => {
      alias.afterClear = () => undefined;
      alias.write("install C");
    };
    await checkIn();
    expect(sink.ran).toEqual(["install A"]);
    await checkIn();
    await checkIn();
    expect(sink.ran).toEqual(["install A", "install C"]);
  });

  it("still finds the overwritten command when the connection broke after the clearing", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.beforeClear = () => {
      alias.beforeClear = () => undefined;
      alias.write("install B");
    };
    alias.afterClear = () => {
      alias.historyFails = network;
    };
    await checkIn();
    expect(sink.ran).toEqual(["install A"]);
    alias.historyFails = undefined;
    await checkIn();
    expect(sink.ran).toEqual(["install A", "install B"]);
  });

  it("finds it as well when the clearing worked but its answer was lost", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.beforeClear = () => {
      alias.beforeClear = () => undefined;
      alias.write("install B");
    };
    alias.afterClear = () => {
      alias.afterClear = () => undefined;
      throw network;
    };
    await expect(checkIn()).rejects.toBe(network);
    await checkIn();
    await checkIn();
    expect(sink.ran).toEqual(["install A", "install B"]);
  });

  it("works without history, where the server serves no RPC", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.historyFails = new RejectedError("no such path", { procedure: "rpc", status: 404 });
    alias.write("install A");
    await checkIn();
    await checkIn();
    expect(sink.ran).toEqual(["install A"]);
    expect(alias.value).toBe("");
  });

  it("does not run what was written before the gateway first read the alias", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install old");
    alias.write("");
    alias.write("install new");
    await checkIn();
    expect(sink.ran).toEqual(["install new"]);
  });

  it("finds what was overwritten though history was away when the command was taken", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.historyFails = network;
    alias.beforeClear = () => {
      alias.beforeClear = () => undefined;
      alias.write("install B");
    };
    await checkIn();
    expect(sink.ran).toEqual(["install A"]);
    alias.historyFails = undefined;
    await checkIn();
    await checkIn();
    expect(sink.ran).toEqual(["install A", "install B"]);
  });

  it("neither loses nor repeats anything when history stays away over two commands", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.historyFails = network;
    alias.beforeClear = () => {
      alias.beforeClear = () => undefined;
      alias.write("install B");
    };
    await checkIn();
    alias.write("install C");
    await checkIn();
    expect(sink.ran).toEqual(["install A", "install C"]);
    alias.historyFails = undefined;
    await checkIn();
    await checkIn();
    expect(sink.ran.toSorted()).toEqual(["install A", "install B", "install C"]);
  });

  it("takes commands on a server that answers its history with 401", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.historyFails = new UnauthorizedError("no", { procedure: "readHistory", status: 401 });
    alias.write("install A");
    await checkIn();
    await checkIn();
    expect(sink.ran).toEqual(["install A"]);
    expect(alias.value).toBe("");
  });

  it("keeps to whole seconds where a server tells fractions", async () => {
    const { alias, sink, facts, checkIn } = setUp();
    alias.now = 1_000.5;
    alias.write("install A");
    await checkIn();
    expect(facts.fetchCursor()?.timestamp).toBe(1_000);
    expect(sink.ran).toEqual(["install A"]);
  });

  it("reads a long history to its end", async () => {
    const { alias, sink, checkIn } = setUp();
    alias.write("install A");
    alias.beforeClear = () => {
      alias.beforeClear = () => undefined;
      for (let number = 1; number <= 250; number++) alias.write(`install ${number}`);
    };
    await checkIn();
    expect(sink.ran).toHaveLength(251);
    await checkIn();
    expect(new Set(sink.ran).size).toBe(251);
    expect(sink.ran).toHaveLength(251);
  });
});
