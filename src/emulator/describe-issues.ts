import type * as z from "zod/mini";

/** What is wrong with a value, and where: zod/mini brings no messages of its own, which keeps it small. */
export function describeIssues({ issues }: z.core.$ZodError): string {
  return issues.map((issue) => `${place(issue.path)}${fault(issue)}`).join("; ");
}

function place(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "" : `${path.map(String).join(".")}: `;
}

function fault(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown key ${issue.keys.join(", ")}`;
    case "invalid_type":
      return `expected ${issue.expected}`;
    case "invalid_value":
      return `expected ${issue.values.map(String).join(" or ")}`;
    case "too_small":
      return `at least ${issue.minimum}`;
    case "too_big":
      return `at most ${issue.maximum}`;
    case "custom":
      return issue.message;
    default:
      return "not a value that is understood";
  }
}
