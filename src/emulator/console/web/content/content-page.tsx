import { useState } from "preact/hooks";
import { compareVersions } from "../../../fleet/version-order.ts";
import { useConsole, useFleet, useLoaded, useNews } from "../context.ts";
import { ago, bytes, time } from "../format.ts";
import { Dialog } from "../parts/dialog.tsx";
import { goTo, hrefOf } from "../router.ts";
import type { Content } from "../types.ts";
import { DropZone } from "./drop-zone.tsx";
import { useProducts } from "./package-choice.tsx";

/** A product's packages. */
export function ContentPage({ product }: { readonly product: string | undefined }) {
  const { products, usual, isLoaded, problem } = useProducts();
  const chosen = product ?? usual;
  return (
    <main class="page" id="main">
      <div class="heading">
        <h1>Content</h1>
        {products.length > 0 && (
          <label class="inline">
            Product{" "}
            <select value={chosen} onChange={({ currentTarget }) => goTo(["content", currentTarget.value])}>
              {products.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {isLoaded && products.length === 0 && <p class="muted">There is no product yet.</p>}
      {chosen !== undefined && <ProductContent key={chosen} product={chosen} />}
    </main>
  );
}

function ProductContent({ product }: { readonly product: string }) {
  const { data, problem, reload } = useLoaded<{ content: readonly Content[] }>(
    `content/${encodeURIComponent(product)}`,
  );
  useNews((news) => {
    if (news.kind === "content" && news.product === product) reload();
  });
  return (
    <>
      <DropZone product={product} known={data?.content ?? []} onDone={reload} />
      {problem !== undefined && <p class="problem">{problem}</p>}
      {data?.content.length === 0 && <p class="muted">No content yet.</p>}
      {groupsOf(data?.content ?? []).map(({ name, contents }) => (
        <section key={name} class="card" aria-label={name}>
          <h2>{name}</h2>
          <ContentTable product={product} contents={contents} onChange={reload} />
        </section>
      ))}
    </>
  );
}

/** Packages by app, newest version first; whatever is no package comes last. */
function groupsOf(
  contents: readonly Content[],
): { readonly name: string; readonly contents: readonly Content[] }[] {
  const groups = Map.groupBy(contents, ({ app }) => app ?? "");
  return [...groups]
    .map(([app, own]) => ({
      name: app === "" ? "Other content" : app,
      isOther: app === "",
      contents: own.toSorted((a, b) => compareVersions(b.version ?? "", a.version ?? "")),
    }))
    .sort((a, b) => Number(a.isOther) - Number(b.isOther) || a.name.localeCompare(b.name));
}

interface ContentTableProps {
  readonly product: string;
  readonly contents: readonly Content[];
  readonly onChange: () => void;
}

function ContentTable({ product, contents, onChange }: ContentTableProps) {
  const { api, notify } = useConsole();
  const live = useFleet();
  const [removing, setRemoving] = useState<Content>();
  const runs = ({ app, version }: Content) =>
    live.gateways.filter(
      (gateway) =>
        gateway.product === product &&
        gateway.apps.some((one) => one.name === app && one.version === version),
    ).length;
  return (
    <div class="scroll">
      <table class="content-table">
        <thead>
          <tr>
            <th scope="col" class="wide">
              Version
            </th>
            <th scope="col" class="spare">
              Size
            </th>
            <th scope="col">Uploaded</th>
            <th scope="col">Runs on</th>
            <th scope="col" class="spare">
              SHA-256
            </th>
            <th scope="col" class="wide">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {contents.map((content) => (
            <tr key={content.id}>
              <th scope="row">
                {content.version ?? content.id}
                {content.protected && <span class="tag">protected</span>}
                {!content.uploaded && <span class="tag">empty</span>}
              </th>
              <td class="number spare">{bytes(content.size)}</td>
              <td title={time(content.updated)}>{ago(content.updated, live.now())}</td>
              <td class="number">
                {content.app !== undefined && (
                  <a
                    href={hrefOf([], { filter: `product:${product} app.${content.app}:${content.version}` })}
                  >
                    {runs(content)}
                  </a>
                )}
              </td>
              <td class="spare">
                <code title={content.sha256}>{content.sha256?.slice(0, 12)}</code>
              </td>
              <td class="actions">
                {content.app !== undefined && content.uploaded && (
                  <a
                    class="button"
                    aria-label={`Deploy ${content.id}`}
                    href={hrefOf(["deploy"], { product, package: content.id })}
                  >
                    Deploy…
                  </a>
                )}
                <button
                  type="button"
                  class="quiet"
                  aria-label={`Delete ${content.id}`}
                  onClick={() => setRemoving(content)}
                >
                  Delete…
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {removing && (
        <Dialog
          title={`Delete ${removing.id}?`}
          action="Delete"
          isDangerous
          onConfirm={async () => {
            await api.send(
              "DELETE",
              `content/${encodeURIComponent(product)}/${encodeURIComponent(removing.id)}`,
            );
            notify(`${removing.id} is deleted`);
            onChange();
          }}
          onClose={() => setRemoving(undefined)}
        >
          <p>
            Gateways that run it go on. Those that have been told to install it and have not downloaded it yet
            will fail.
          </p>
        </Dialog>
      )}
    </div>
  );
}
