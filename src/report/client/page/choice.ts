import { element } from "./tokens/token-tip.js";

/** A labelled select among values that go by names. */
export function choice<Value extends string>(
  holder: HTMLElement,
  name: string,
  values: Record<Value, string>,
  chosen: Value,
  choose: (value: Value) => void,
): void {
  const label = element("label", name);
  const select = document.createElement("select");
  for (const [value, text] of Object.entries<string>(values))
    select.append(new Option(text, value, false, value === chosen));
  select.addEventListener("change", () => choose(select.value as Value));
  label.append(select);
  holder.append(label);
}
