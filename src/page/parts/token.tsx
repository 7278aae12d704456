import { visibleToken } from "../../report/page/visible-text.js";
import type { ExplorerView } from "../view.js";

/** A token by its text; a press opens its own page. */
export function Token({ view, id, text }: { view: ExplorerView; id: number; text: string }) {
  return (
    <button type="button" class="token" title={`#${id}`} onClick={() => view.send({ type: "show-token", id })}>
      <bdi>{visibleToken(text)}</bdi>
    </button>
  );
}
