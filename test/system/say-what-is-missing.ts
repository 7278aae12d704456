import { browserPath } from "../support/browser.js";
import { redisPath } from "../support/redis-server.js";

/** One line for each program that these tests miss: how to get it. */
export default function sayWhatIsMissing(): void {
  if (browserPath === undefined) {
    console.error(
      "No Chromium: the tests of pages are skipped. Install it (apt-get install chromium) or set CHROMIUM_PATH to one.",
    );
  }
  if (redisPath === undefined) {
    console.error("No Redis: the tests of the queue are skipped. Install it (apt-get install redis-server).");
  }
}
