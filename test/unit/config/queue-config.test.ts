import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  ConfigError,
  loadQueueConfig,
  loadQueueLogConfig,
  QueueConfigStore,
} from "../../../src/config/index.ts";
import { configIo } from "../../../src/daemon/config-io.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";

function write(home: GweHome, text: string, file: "gmqCfg" | "loggingCfg" = "gmqCfg"): void {
  mkdirSync(home.paths.etcDir, { recursive: true });
  writeFileSync(home.paths[file], text);
}

function storeOf({ paths }: GweHome, file: "gmqCfg" | "loggingCfg" = "gmqCfg"): QueueConfigStore {
  return new QueueConfigStore({ paths, io: configIo, file });
}

describe("gmq.cfg", () => {
  it("need not exist", () => {
    using home = gweHome();
    expect(loadQueueConfig(home.paths)).toMatchObject({
      unq: { batchRecordPeriodS: 10, batchQty: 1000 },
      db: { maxMib: 512, whenFull: "reject" },
      http: { port: 0 },
    });
    expect(loadQueueConfig({ ...home.paths, home: null }).http.port).toBe(8090);
    expect(loadQueueLogConfig(home.paths)).toEqual({ level: undefined });
  });

  it("is read as the original wrote it, with keys that nobody knows any more", () => {
    using home = gweHome();
    write(home, "[unq]\nbatch_record_period: 2.5\nbatch_qty=50\ncolour = blue\n[db]\njournal = x\n");
    expect(loadQueueConfig(home.paths).unq).toMatchObject({ batchRecordPeriodS: 2.5, batchQty: 50 });
  });

  it("gives aliases their priorities", () => {
    using home = gweHome();
    write(home, "[priorities]\n9 = alarm* Fault%20state, pump\n0 = debug\n");
    expect([...loadQueueConfig(home.paths).priorities]).toEqual([
      ["debug", 0],
      ["alarm*", 9],
      ["Fault state", 9],
      ["pump", 9],
    ]);
  });

  it("names everything that is wrong, with its place and what is allowed", () => {
    using home = gweHome();
    write(
      home,
      "[unq]\nbatch_qty = many\n[db]\nwhen_full = panic\n[http]\nport = 70000\n[priorities]\n1 = %\n",
    );
    const load = () => loadQueueConfig(home.paths);
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/gmq\.cfg:2: \[unq\] batch_qty = "many": expected a whole number of entries from 1/);
    expect(load).toThrow(/\[db\] when_full = "panic".*\[http\] port = "70000".*\[priorities\] 1 = "%"/);
  });
});

describe("the settings' store", () => {
  it("shows every option with what is in force, then what else the file holds", () => {
    using home = gweHome();
    write(home, "[unq]\nbatch_qty = 50\nold = 1\n");
    const options = storeOf(home).options();
    expect(options).toContainEqual({ section: "unq", key: "batch_qty", value: "50", isDefault: false });
    expect(options).toContainEqual({
      section: "unq",
      key: "batch_record_period",
      value: "10",
      isDefault: true,
    });
    expect(options.at(-1)).toEqual({ section: "unq", key: "old", value: "1", isDefault: false });
  });

  it("changes one value and nothing else, and takes none that could not be read back", () => {
    using home = gweHome();
    write(home, "# mine\n[unq]\nbatch_qty = 50 ; few\nold = 1\n");
    storeOf(home).set("unq", "batch_qty", "60");
    expect(readFileSync(home.paths.gmqCfg, "utf8")).toBe("# mine\n[unq]\nbatch_qty = 60 ; few\nold = 1\n");
    expect(() => storeOf(home).set("unq", "batch_qty", "0")).toThrow(/from 1 to 10000/);
    expect(() => storeOf(home).set("unq", "batch_size", "1")).toThrow(
      /known: batch_record_period, batch_qty/,
    );
    expect(() => storeOf(home).set("upload", "batch_qty", "1")).toThrow(/known: unq, db, http, priorities/);
    expect(loadQueueConfig(home.paths).unq.batchQty).toBe(60);
  });

  it("restores a default with the empty value", () => {
    using home = gweHome();
    storeOf(home, "loggingCfg").set("logging", "level", "DEBUG");
    expect(loadQueueLogConfig(home.paths).level).toBe("DEBUG");
    storeOf(home, "loggingCfg").set("logging", "level", "''");
    expect(loadQueueLogConfig(home.paths).level).toBeUndefined();
  });
});
