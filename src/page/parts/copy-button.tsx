import { useState } from "preact/hooks";
import { strings } from "../strings.js";

/** Milliseconds for which it says that it did. */
const said = 1500;

/** Copies a text to the clipboard. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      onClick={async () => {
        await navigator.clipboard.writeText(text());
        setDone(true);
        setTimeout(() => setDone(false), said);
      }}
    >
      {done ? strings.copied : label}
    </button>
  );
}
