import { isAbsolute } from "node:path/posix";
import type { Findings } from "./findings.ts";

export interface ScriptFacts {
  /** The beginning of the file, its first line at least. */
  readonly start: Buffer;
  /** Whether a program can be executed on this machine; the gateway may differ. */
  readonly isExecutable: (program: string) => boolean;
}

/**
 * Whether the kernel will start a script by its first line (spec: custom-gateway-applications.md, "install.sh"), apart
 * from its x bit.
 */
export function checkScriptStart(name: string, { start, isExecutable }: ScriptFacts): Findings {
  // A program, which needs no interpreter.
  if (start.subarray(0, 4).equals(Buffer.from("\u007fELF", "latin1"))) return { faults: [], warnings: [] };
  const text = start.toString("utf8");
  if (text.startsWith("\uFEFF")) {
    return fault(`${name} begins with a byte order mark, which hides its '#!' line: save it as plain UTF-8`);
  }
  const [firstLine = ""] = text.split("\n");
  const interpreter = /^#![ \t]*([^ \t\r]+)/.exec(firstLine)?.[1];
  if (interpreter === undefined) {
    return fault(`${name} has no '#!' line: nothing says which program is to run it (#!/bin/sh)`);
  }
  if (firstLine.endsWith("\r")) {
    return fault(
      `${name} has DOS line ends: its '#!' line asks for a program whose name ends in a carriage return (sed -i 's/\\r$//' ${name})`,
    );
  }
  if (!isAbsolute(interpreter)) {
    return fault(`${name} names the interpreter ${JSON.stringify(interpreter)}, which is no absolute path`);
  }
  const warnings: string[] = [];
  if (!isExecutable(interpreter)) {
    warnings.push(`${name} needs ${JSON.stringify(interpreter)}, which this machine does not have`);
  }
  if (text.includes("\r\n")) warnings.push(`${name} has DOS line ends in some lines`);
  return { faults: [], warnings };
}

function fault(text: string): Findings {
  return { faults: [text], warnings: [] };
}
