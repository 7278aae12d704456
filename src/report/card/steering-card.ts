import { checkTexts } from "../../steering/check/check-texts.js";
import type { EditedRun } from "../../steering/steering-run.js";
import { count, counted, plain, significant } from "../page/numbers.js";
import { visibleToken } from "../page/visible-text.js";
import { selectorOf, textNames } from "../steering/steering-texts.js";
import { code, markdownTable, modelCard, type OriginalModel } from "./model-card.js";

/** Edits that the card lists; unembed.json has them all. */
const listed = 50;

/** README.md of an edited model. */
export function steeringCard(run: EditedRun, original: OriginalModel, version: string): string {
  const { plan, solution, check, probed } = run.edit;
  const rows = solution.rows.ids.length;
  const texts = checkTexts.filter((text) => check[text] !== undefined);
  const table = solution.groups.slice(0, listed).map((group, g) => {
    const { label, tokens } = plan.edits[g]!;
    const { before, wanted } = group.probability;
    const name = tokens.length === 1 ? visibleToken(tokens[0]!.text) : selectorOf(label);
    const banned = "ban" in group.target && group.target.ban === true;
    const worst = probed?.[g]?.largest;
    return [
      `${code(name)}${tokens.length === 1 ? ` (id ${tokens[0]!.id})` : `, ${counted(tokens.length, "token")}`}`,
      banned ? "banned" : `× ${plain(wanted / before, 4)}`,
      ...texts.map((text) => `× ${plain(check[text]!.groups[g]!.scale, 4)}`),
      worst === undefined ? "not probed" : `${plain(worst.before, 2)} → ${plain(worst.after, 2)}`,
      group.bound === undefined
        ? "none"
        : `${plain(group.bound.probability, 2)}${group.bound.proven ? "" : ", measured"}`,
    ];
  });
  const head = [
    "token",
    "wanted",
    ...texts.map((text) => textNames[text]),
    "largest p, before → after",
    "bound in any context",
  ];
  const more = solution.groups.length - listed;
  const text = texts.find((name) => name !== "fit") ?? texts[0];
  const collateral = text && check[text]?.collateral;
  const done = [
    `${rows === 1 ? "One row" : `${count(rows)} rows`} of the output embedding (${count(run.model.vocabSize)} × ${count(run.model.hiddenSize)}) ${rows === 1 ? "was" : "were"} rewritten; every other weight is what it was. Mean output probability of each token, as a factor on the original's:`,
    "",
    markdownTable(head, table),
    ...(more > 0 ? ["", `and ${counted(more, "more edit", "more edits")}, in \`unembed.json\`.`] : []),
    "",
    ...(collateral
      ? [
          `On ${textNames[text]} KL(original ‖ edited) is ${significant(collateral.kl.mean)} nats in the mean, ${significant(collateral.klOthers.mean)} of the other tokens among themselves. \`unembed.json\` holds the plan, which \`unembed steer --plan\` applies again.`,
        ]
      : ["`unembed.json` holds the plan, which `unembed steer --plan` applies again."]),
    ...solution.warnings.map((warning) => `\n**Warning:** ${code(warning)}`),
  ];
  return modelCard(original, { done: done.join("\n"), version });
}
