import type { ModelChoice, Room, TextChoice } from "./actions.js";
import type { Choices } from "./state.js";

/** What a link opens. */
export interface Address {
  readonly room: Room;
  readonly model?: ModelChoice | undefined;
  readonly text?: TextChoice | undefined;
  readonly tokens?: number | undefined;
  readonly choices: Choices;
}
