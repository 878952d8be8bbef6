import { describe, expect, it } from "vitest";
import { eventually } from "../../support/engine-process.ts";
import { product, QueueScene, vms } from "../../support/queue-scene.ts";

const base = 1_750_000_000;

describe("what is queued", () => {
  it("goes up in one request, aliases and timestamps together, values byte for byte", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    const odd = "a&b=c%41+d\n\u00e9\u{1f600} ";
    await scene.record(vms("app"), "one & two", [
      [base, odd],
      [base + 1, ""],
    ]);
    await scene.record(vms("app"), "three", [[base, "3"]]);
    scene.forwarder.start();
    await scene.waitUntilEmpty();
    expect(await device.history("one & two")).toEqual([
      [base, odd],
      [base + 1, ""],
    ]);
    expect(await device.history("three")).toEqual([[base, "3"]]);
    expect(scene.murano.requests({ procedure: "record" })).toHaveLength(1);
  });

  it("waits for company for batch_record_period, while a live write goes at once and alone", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    scene.forwarder.start();
    await scene.record(vms("app"), "history", [[base, "old"]]);
    await scene.write(vms("app"), "now", "1");
    await eventually("the live write", async () => (await device.latest("now")) === "1");
    expect(await device.history("history")).toEqual([]);
    await scene.clock.advance(9_000);
    expect(scene.store.status().entries).toBe(1);
    await scene.clock.advance(1_001);
    await scene.waitUntilEmpty();
    expect(await device.history("history")).toEqual([[base, "old"]]);
  });

  it("goes in requests of at most batch_qty entries, the oldest first", async () => {
    const scene = await QueueScene.open({ batchEntries: 10 });
    const device = await scene.murano.addSerial(product, "app");
    const points = Array.from({ length: 35 }, (_, index) => [base + index, `${index}`] as const);
    await scene.record(vms("app"), "a", points);
    scene.forwarder.start();
    await scene.waitUntilEmpty();
    expect(scene.murano.requests({ procedure: "record" })).toHaveLength(4);
    expect(await device.history("a")).toEqual(points);
  });
});

describe("a traffic budget that is exhausted", () => {
  it("holds the backlog, then live writes, never what is urgent, and lets all of it go in the end", async () => {
    const scene = await QueueScene.open({ batchRecordPeriodMs: 0 });
    const device = await scene.murano.addSerial(product, "app");
    const { forwarder, store } = scene;
    forwarder.hold("backlog");
    forwarder.start();
    await scene.record(vms("app"), "history", [[base, "old"]]);
    await scene.record(vms("app"), "alarm", [[base, "fire"]]);
    await scene.write(vms("app"), "now", "1");
    await eventually("what may go", () => store.status().entries === 1);
    expect(await device.latest("now")).toBe("1");
    expect(await device.history("alarm")).toEqual([[base, "fire"]]);

    forwarder.hold("all-but-urgent");
    await scene.write(vms("app"), "now", "2");
    await scene.write(vms("app"), "alarm", "smoke");
    await eventually("what is urgent", () => store.status().entries === 2);
    expect(await device.latest("alarm")).toBe("smoke");
    expect(await device.history("history")).toEqual([]);

    forwarder.hold("nothing");
    await scene.waitUntilEmpty();
    expect(await device.latest("now")).toBe("2");
    expect(await device.history("history")).toEqual([[base, "old"]]);
  });

  it("gives way to a person's drain, and has an unfinished batch sent for an urgent entry in it", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    const { forwarder, store } = scene;
    await scene.record(vms("app"), "history", [[base, "old"]]);
    await scene.record(vms("app"), "alarm", [[base, "fire"]]);
    const batch = await store.take(1, "backlog", { maxEntries: 10, maxBytes: 1_000 });
    if (batch !== undefined) store.release(batch);
    await scene.record(vms("app"), "history", [[base + 1, "newer"]]);
    forwarder.hold("backlog");
    forwarder.start();
    await eventually("the batch", () => store.status().entries === 1);
    expect(await device.history("history")).toEqual([[base, "old"]]);
    forwarder.drain();
    await scene.waitUntilEmpty();
    expect(await device.history("history")).toHaveLength(2);
  });
});

describe("a CIK that is void", () => {
  it("is replaced, and the request repeated at once", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    scene.forwarder.start();
    await scene.write(vms("app"), "a", "1");
    await scene.waitUntilEmpty();
    const old = scene.store.identities.find(vms("app"))?.cik;
    await device.enable();
    await scene.clock.advance(1_000);
    await scene.write(vms("app"), "a", "2");
    await scene.waitUntilEmpty();
    expect((await device.history("a")).map(([, value]) => value)).toEqual(["1", "2"]);
    expect(scene.store.identities.find(vms("app"))?.cik).not.toBe(old);
    expect(scene.murano.requests({ procedure: "activate" })).toHaveLength(2);
    // An app that still has the old one is the same device.
    const former = scene.store.identities.find({ kind: "cik", cik: old ?? "" });
    expect(former?.id).toBe(scene.store.identities.find(vms("app"))?.id);
  });

  it("is kept, and both roads tried again, while activation is closed", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    scene.forwarder.start();
    await scene.write(vms("app"), "a", "1");
    await scene.waitUntilEmpty();
    const identity = scene.store.identities.find(vms("app"));
    await device.disable();
    await scene.write(vms("app"), "b", "2");
    await scene.failures(identity?.id ?? 0, 3);
    expect(scene.store.identities.find(vms("app"))).toMatchObject({
      cik: identity?.cik,
      state: "unauthorized",
    });
    const seen = scene.murano.requests();
    expect(seen.filter(({ procedure }) => procedure === "activate").length).toBeGreaterThanOrEqual(3);
    await device.enable();
    scene.forwarder.drain();
    await scene.waitUntilEmpty();
    expect(await device.latest("b")).toBe("2");
    await eventually(
      "the identity to be well",
      () => scene.store.identities.find(vms("app"))?.state === "active",
    );
  });

  it("makes dead letters of a device known by its CIK alone, after a day", async () => {
    const scene = await QueueScene.open({ activationRetryMs: 3_600_000 });
    const { device, cik } = await scene.murano.addActivated(product, "app");
    const caller = { kind: "cik", cik } as const;
    await device.enable();
    scene.forwarder.start();
    await scene.write(caller, "a", "1");
    const id = scene.store.identities.find(caller)?.id ?? 0;
    await scene.failures(id, 2);
    await scene.clock.advance(23 * 3_600_000);
    expect(scene.store.status()).toMatchObject({ entries: 1, deadLetters: 0 });
    await scene.clock.advance(3_600_000);
    await eventually("the dead letter", async () => {
      await scene.clock.advance(3_600_000);
      return scene.store.status().deadLetters === 1;
    });
    expect(scene.store.dead.list({ limit: 1 })).toMatchObject([
      { alias: "a", value: "1", reason: "unauthorized", status: 401 },
    ]);
    expect(scene.store.status().entries).toBe(0);
  });
});

describe("what Murano refuses", () => {
  it("is found and set aside with the answer, and everything beside it is delivered", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    const points = Array.from({ length: 40 }, (_, index) => {
      const value = index === 17 || index === 31 ? "x".repeat(65_537) : `${index}`;
      return [base + index, value] as const;
    });
    await scene.record(vms("app"), "a", points);
    scene.forwarder.start();
    await scene.waitUntilEmpty();
    expect(await device.history("a")).toEqual(points.filter(([, value]) => value.length < 100));
    const dead = scene.store.dead.list({ limit: 10 });
    expect(dead.map(({ timeMs }) => timeMs / 1000).sort()).toEqual([base + 17, base + 31]);
    expect(dead[0]).toMatchObject({ reason: "rejected", status: 413 });
    expect(dead[0]?.answer).toContain("at most 65536 bytes");
  });

  it("is no dead letter where it is not Murano that answers", async () => {
    const scene = await QueueScene.open();
    await scene.murano.addSerial(product, "app");
    scene.forwarder.start();
    await scene.write(vms("app"), "a", "0");
    await scene.waitUntilEmpty();
    const id = scene.store.identities.find(vms("app"))?.id ?? 0;
    for (const status of [400, 403, 413]) {
      scene.murano.addFault({ id: "proxy", status, body: "blocked by your network" });
      await scene.clock.advance(60_000);
      await scene.write(vms("app"), "a", `${status}`);
      await scene.failures(id, 2);
      expect(scene.store.status()).toMatchObject({ entries: 1, deadLetters: 0 });
      scene.murano.clearFaults();
      scene.forwarder.drain();
      await scene.waitUntilEmpty();
    }
  });

  it("moves on to the next free second where Murano says that it is taken", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    await scene.record(vms("app"), "a", [
      [base, "0"],
      [base + 1, "1"],
      [base + 2, "2"],
    ]);
    scene.murano.addFault({ match: { procedure: "record" }, status: 409, body: `a=${base + 1}`, count: 1 });
    scene.forwarder.start();
    await scene.waitUntilEmpty();
    expect(await device.history("a")).toEqual([
      [base, "0"],
      [base + 2, "2"],
      [base + 3, "1"],
    ]);
    expect(scene.store.status().counts).toMatchObject({ delivered: 3, moved: 1 });
  });
});

describe("trouble on the way", () => {
  it("such as a captive portal's page is no success", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    scene.forwarder.start();
    await scene.write(vms("app"), "a", "1");
    await scene.waitUntilEmpty();
    scene.murano.addFault({ status: 200, headers: { "Content-Type": "text/html" }, body: "<html>Pay here" });
    await scene.clock.advance(5_000);
    await scene.write(vms("app"), "a", "2");
    await scene.failures(scene.store.identities.find(vms("app"))?.id ?? 0, 2);
    expect(scene.store.status().entries).toBe(1);
    expect(scene.forwarder.stats()).toMatchObject({ isOnline: false });
    scene.murano.clearFaults();
    scene.forwarder.drain();
    await scene.waitUntilEmpty();
    expect((await device.history("a")).map(([, value]) => value)).toEqual(["1", "2"]);
  });

  it("such as lost answers adds no second point", async () => {
    const scene = await QueueScene.open({ batchEntries: 5 });
    const device = await scene.murano.addSerial(product, "app");
    await scene.record(vms("app"), "a", [
      [base, "0"],
      [base + 0.5, "0.5"],
      [base + 1, "1"],
    ]);
    scene.murano.addFault({ match: { procedure: "record" }, drop: "after", count: 3 });
    scene.forwarder.start();
    await eventually("delivery", async () => {
      await scene.clock.advance(60_000);
      return scene.store.status().entries === 0;
    });
    expect(await device.history("a")).toEqual([
      [base, "0"],
      [base + 1, "0.5"],
      [base + 2, "1"],
    ]);
  });

  it("such as 429 is waited out as long as Murano asks for", async () => {
    const scene = await QueueScene.open();
    await scene.murano.addSerial(product, "app");
    scene.murano.addFault({
      match: { procedure: "record" },
      status: 429,
      headers: { "Retry-After": "120" },
      count: 1,
    });
    scene.forwarder.start();
    await scene.write(vms("app"), "a", "1");
    await scene.failures(1, 1);
    await scene.clock.advance(119_000);
    expect(scene.murano.requests({ procedure: "record" })).toHaveLength(1);
    await scene.clock.advance(1_001);
    await scene.waitUntilEmpty();
  });

  it("of one device holds up no other, and all go on as soon as one is through", async () => {
    const scene = await QueueScene.open();
    for (const sn of ["a", "b", "c"]) await scene.murano.addSerial(product, sn);
    scene.forwarder.start();
    scene.murano.addFault({ id: "b", match: { device: "b" }, status: 503 });
    for (const sn of ["a", "b", "c"]) await scene.write(vms(sn), "x", sn);
    await eventually("the others", () => scene.store.status().entries === 1);
    expect(await scene.murano.device(product, "c").latest("x")).toBe("c");
    await scene.failures(scene.store.identities.find(vms("b"))?.id ?? 0, 4);
    scene.murano.clearFaults();
    await scene.write(vms("a"), "x", "again");
    await scene.waitUntilEmpty();
    expect(await scene.murano.device(product, "b").latest("x")).toBe("b");
  });
});

describe("an app's own questions to Murano", () => {
  it("get a CIK, known or new, or none", async () => {
    const scene = await QueueScene.open();
    const device = await scene.murano.addSerial(product, "app");
    const who = { vendor: product, model: product, sn: "app" };
    const cik = await scene.desk.activate(who, 5_000);
    expect(cik).toMatch(/^[0-9a-zA-Z]{40}$/);
    await scene.murano.goOffline();
    expect(await scene.desk.activate(who, 5_000)).toBe(cik);
    expect(await scene.desk.activate({ ...who, sn: "other" }, 5_000)).toBeUndefined();
    await scene.murano.goOnline();
    await scene.murano.addSerial(product, "other");
    // Not asked again at once, however often the app asks.
    expect(await scene.desk.activate({ ...who, sn: "other" }, 5_000)).toBeUndefined();
    await scene.clock.advance(10_000);
    expect(await scene.desk.activate({ ...who, sn: "other" }, 5_000)).toMatch(/^[0-9a-zA-Z]{40}$/);
    await device.write("setpoint", "21 & 1");
    expect(await scene.desk.read(vms("app"), ["setpoint", "none"])).toEqual({
      status: 200,
      values: new Map([["setpoint", "21 & 1"]]),
    });
    expect(await scene.desk.read({ kind: "cik", cik: "0".repeat(40) }, ["a"])).toMatchObject({ status: 401 });
    await scene.murano.goOffline();
    expect(await scene.desk.read(vms("app"), ["setpoint"])).toBeUndefined();
  });
});
