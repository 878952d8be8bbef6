/**
 * Prints what `device_info` is made of on this machine, as one JSON document: a fixture for the tests of telemetry.
 * usage: node test/support/record-machine.ts "<what machine>" > test/support/machines/<name>.json
 */

import { collectDeviceFacts } from "../../src/telemetry/collectors/device-facts.ts";
import type { MachineFiles } from "../../src/telemetry/collectors/machine-files.ts";
import { machineFiles, systemCalls } from "../../src/telemetry/index.ts";

const seen = {
  files: {} as Record<string, string>,
  directories: {} as Record<string, readonly string[]>,
  usage: {} as Record<string, unknown>,
};
const recording: MachineFiles = {
  read: async (path) => {
    const text = await machineFiles.read(path);
    // Processors list hundreds of features, which nobody reads here.
    if (text !== undefined) seen.files[path] = text.replace(/^(flags|Features|bugs)[ \t]*:.*\n/gm, "");
    return text;
  },
  list: async (path) => {
    const names = await machineFiles.list(path);
    if (names.length > 0) seen.directories[path] = names;
    return names;
  },
  usage: async (mountPoint) => {
    const counts = await machineFiles.usage(mountPoint);
    if (counts !== undefined) seen.usage[mountPoint] = counts;
    return counts;
  },
};
const calls = systemCalls();
await collectDeviceFacts(recording, calls, {
  engineVersion: "0",
  bootId: "0",
  machineFacts: undefined,
  time: { synchronised: null, source: null, trustedBy: null, wallErrorMs: null },
  nowMs: Date.now(),
});
const what = process.argv[2] ?? "";
console.log(
  JSON.stringify({ what, calls: { ...calls, addresses: [...calls.addresses] }, ...seen }, undefined, 1),
);
