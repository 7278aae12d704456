import { signal } from "@preact/signals";
import { currentTheme, type Theme } from "../report/client/page/colours.js";

/** The theme that is shown: figures drawn on canvases read it, so that they are drawn anew. */
export const theme = signal<Theme>("light");

export function followSystemTheme(): void {
  theme.value = currentTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    theme.value = currentTheme();
  });
}

export function toggleTheme(): void {
  document.documentElement.dataset.theme = currentTheme() === "dark" ? "light" : "dark";
  theme.value = currentTheme();
}
