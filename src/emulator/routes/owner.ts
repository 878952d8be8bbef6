import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { changed, csv, type Reply, text } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { checkedName, requireOwner, requireOwnerCik } from "./access.ts";
import type { RouteParts } from "./parts.ts";

const authPath = "/provision/admin/auth";

/** Vendor names, tokens, and sharing, which the emulator does not have (spec: provision-management.md, "Owner"). */
export function ownerRoutes(parts: RouteParts): readonly Route[] {
  const methods = ["GET", "POST", "PUT", "DELETE"] as const;
  const sharePaths = ["", "/*", "/*/*", "/*/*/*"].map((rest) => `/provision/manage/share${rest}`);
  return [
    {
      method: "GET",
      path: "/provision/register",
      procedure: "register",
      handle: (call) => vendors(parts, call),
    },
    {
      method: "POST",
      path: "/provision/register",
      procedure: "register",
      handle: (call) => register(parts, call),
    },
    { method: "GET", path: authPath, procedure: "auth", handle: (call) => tokens(parts, call) },
    { method: "POST", path: authPath, procedure: "auth", handle: (call) => addToken(parts, call) },
    { method: "GET", path: `${authPath}/*`, procedure: "auth", handle: (call) => token(parts, call) },
    {
      method: "DELETE",
      path: `${authPath}/*`,
      procedure: "auth",
      handle: (call) => removeToken(parts, call),
    },
    ...methods.flatMap((method) =>
      sharePaths.map(
        (path): Route => ({
          method,
          path,
          procedure: "share",
          handle: async (call) => {
            await requireOwner(parts, call);
            throw new HttpProblem(501, "sharing models between vendors is not emulated");
          },
        }),
      ),
    ),
  ];
}

async function vendors(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwner(parts, call);
  return csv((await parts.store.owners.vendors(owner.id)).map((vendor) => [vendor]));
}

async function register(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwner(parts, call);
  const form = call.form();
  const vendor = checkedName(form.required("vendor"), "vendor");
  if (form.isTrue("delete")) {
    if (!(await parts.store.owners.removeVendor(owner.id, vendor))) {
      throw new HttpProblem(404, "no such vendor");
    }
    return changed;
  }
  if (!(await parts.store.owners.addVendor(owner.id, vendor))) {
    throw new HttpProblem(409, "the vendor name is taken");
  }
  return changed;
}

async function tokens(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwnerCik(parts, call);
  return csv((await parts.store.owners.tokenIds(owner.id)).map((id) => [id]));
}

async function addToken(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwnerCik(parts, call);
  const id = checkedName(call.form().required("id"), "id");
  const value = await parts.store.owners.addToken(owner.id, id);
  if (value === undefined) throw new HttpProblem(409, "the token id exists");
  return text(200, value);
}

async function token(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwnerCik(parts, call);
  const value = await parts.store.owners.token(owner.id, call.param(0));
  if (value === undefined) throw new HttpProblem(404, "no such token");
  return text(200, value);
}

async function removeToken(parts: RouteParts, call: Call): Promise<Reply> {
  const owner = await requireOwnerCik(parts, call);
  if (!(await parts.store.owners.removeToken(owner.id, call.param(0)))) {
    throw new HttpProblem(404, "no such token");
  }
  return changed;
}
