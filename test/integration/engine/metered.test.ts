import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

interface Metered {
  readonly sent: { readonly down: number; readonly up: number };
  readonly reported: { readonly rx: number; readonly tx: number };
}

const child = join(import.meta.dirname, "../../support/metered-gateway-child.ts");

it("reports within 1 % what flowed over a modem, unplugged and restarted, and holds what its budget forbids", async () => {
  const { stdout } = await promisify(execFile)("unshare", ["-n", process.execPath, child]);
  const { first, exceeded, held, heldWrite, heldDownloads, restarted } = JSON.parse(stdout);
  for (const { sent, reported } of [first, exceeded, restarted] as readonly Metered[]) {
    expect(Math.abs(reported.rx / sent.down - 1)).toBeLessThan(0.01);
    expect(Math.abs(reported.tx / sent.up - 1)).toBeLessThan(0.01);
  }
  expect(first.reported).toMatchObject({ budget: "ok", consumers: { "gwe:writeRead": {} } });
  expect(exceeded.reported).toMatchObject({ budget: "exceeded", held: "all-but-urgent" });
  expect({ held, heldWrite, heldDownloads }).toEqual({ held: "all-but-urgent", heldDownloads: 0 });
  expect(restarted.reported.consumers).toMatchObject({ "metered/app": {} });
});
