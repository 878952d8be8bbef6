import fc from "fast-check";
import { expect, test } from "vitest";
import { parseUnitStreams, renderUnitStreams } from "../../../../src/supervisor/logd/stream-file.ts";

const stream = {
  fifo: "/run/f",
  file: "/var/log/meter.log",
  maxBytes: 204_800,
  backups: 1,
  syslog: null,
  fileIsFallback: false,
};

test("what the engine writes is read as it was meant", () => {
  const unit = {
    launcherFile: "/run/launcher",
    streams: [stream, { ...stream, file: null, syslog: "meter" }],
  };
  expect(parseUnitStreams(renderUnitStreams(unit))).toEqual(unit);
});

test("anything else is refused whole", () => {
  const broken = [
    { ...stream, maxBytes: -1 },
    { ...stream, backups: 0.5 },
    { ...stream, file: 7 },
    { ...stream, fifo: undefined },
    null,
  ];
  for (const one of broken) {
    const text = JSON.stringify({ launcherFile: "/run/launcher", streams: [stream, one] });
    expect(parseUnitStreams(text)).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseUnitStreams(text)).toBeUndefined();
    }),
  );
  expect(parseUnitStreams('{"launcherFile":')).toBeUndefined();
});
