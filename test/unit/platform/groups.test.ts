import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { groupId } from "../../../src/platform/groups.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gwe-groups-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("finds a group by its whole name, and nothing in a mangled or missing file", () => {
  const file = join(directory, "group");
  writeFileSync(file, "root:x:0:\ngateway-engine-old:x:7:\nbroken\ngateway-engine:x:998:node-red,meter\n");
  expect(groupId("root", file)).toBe(0);
  expect(groupId("gateway-engine", file)).toBe(998);
  expect(groupId("gateway", file)).toBeUndefined();
  expect(groupId("broken", file)).toBeUndefined();
  expect(groupId("root", join(directory, "none"))).toBeUndefined();
});
