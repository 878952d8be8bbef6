import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { ConflictError, type DeviceApi, UnauthorizedError } from "../../../src/device-client/index.ts";
import { Credentials, reactivatingApi } from "../../../src/engine/index.ts";

const oldCik = "o".repeat(40);
const newCik = "n".repeat(40);
const unauthorized = new UnauthorizedError("not valid", { procedure: "read", status: 401 });

/** A Murano that knows one valid CIK and counts activations. */
function setUp(options: { refuseActivation?: boolean; diskFails?: boolean } = {}) {
  const disk = { cik: oldCik, fails: options.diskFails === true };
  const murano = { valid: newCik, activations: 0 };
  const credentials = new Credentials({
    storage: {
      current: () => disk.cik,
      replace: (cik) => {
        if (disk.fails) throw new ConflictError("read-only file system", { procedure: "activate" });
        disk.cik = cik;
      },
    },
    api: {
      activate: async () => {
        murano.activations += 1;
        await new Promise((resolve) => setImmediate(resolve));
        if (options.refuseActivation)
          throw new ConflictError("not enabled", { procedure: "activate", status: 409 });
        return newCik;
      },
    },
    request: () => ({ vendor: "p", model: "p", sn: "1" }),
    hasCertificate: false,
    logger: silentLogger,
  });
  const read = async () => {
    if (credentials.current() !== murano.valid) throw unauthorized;
    return { values: new Map([["a", "1"]]), serverTimeMs: undefined };
  };
  const api = reactivatingApi({ read } as unknown as DeviceApi, credentials, silentLogger);
  return { api, credentials, disk, murano };
}

describe("a CIK that Murano no longer takes", () => {
  it("is replaced, and the request repeated, within the same call", async () => {
    const { api, disk } = setUp();
    const { values } = await api.read(["a"]);
    expect(values.get("a")).toBe("1");
    expect(disk.cik).toBe(newCik);
  });

  it("is replaced once for requests that fail together", async () => {
    const { api, murano } = setUp();
    await Promise.all([api.read(["a"]), api.read(["a"]), api.read(["a"])]);
    expect(murano.activations).toBe(1);
  });

  it("stays on disk while activation is refused", async () => {
    const { api, disk, credentials } = setUp({ refuseActivation: true });
    await expect(api.read(["a"])).rejects.toBe(unauthorized);
    expect(disk.cik).toBe(oldCik);
    expect(credentials.current()).toBe(oldCik);
  });

  it("is replaced in memory when the disk refuses, and written as soon as it can be", async () => {
    const { api, disk, credentials } = setUp({ diskFails: true });
    await api.read(["a"]);
    expect(disk.cik).toBe(oldCik);
    disk.fails = false;
    await credentials.savePending();
    expect(disk.cik).toBe(newCik);
  });
});
