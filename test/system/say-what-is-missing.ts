import { browserPath } from "../support/browser.js";

/** One line for each program that these tests miss: how to get it. */
export default function sayWhatIsMissing(): void {
  if (browserPath !== undefined) return;
  console.error(
    "No Chromium: the tests of pages are skipped. Install it (apt-get install chromium) or set CHROMIUM_PATH to one.",
  );
}
