import { describe, expect, test } from "vitest";
import { plausibleAnalysis } from "../../../test/support/plausible-analysis.js";
import { renderAnalysisReport } from "./report.js";

const HOSTILE = `</script><img src=x onerror="alert(1)">`;

describe("renderAnalysisReport", () => {
  test("never lets a token, a name or the command become markup", () => {
    const tokens = Array.from({ length: 500 }, () => HOSTILE);
    const analysis = plausibleAnalysis({ tokens });
    analysis.model.name = HOSTILE;
    analysis.model.dtype = HOSTILE;
    analysis.model.modelType = HOSTILE;
    analysis.corpus.files = [{ name: HOSTILE, bytes: 1 }];
    const page = renderAnalysisReport(analysis, { command: HOSTILE, version: HOSTILE, date: HOSTILE });
    expect(page).toContain("&lt;img src=x");
    expect(page).not.toMatch(/<img/i);
    // Two script elements of its own: the data and the page's script.
    expect(page.match(/<\/script/gi)).toHaveLength(2);
    expect(page.match(/<script/gi)).toHaveLength(2);
  });

  test("keeps token texts as they are in its data", () => {
    const tokens = Array.from({ length: 500 }, (_, id) => ["<!--", "]]>", "\u2028", "\ud800", '"', HOSTILE][id % 6]!);
    const data = embeddedData(renderAnalysisReport(plausibleAnalysis({ tokens })));
    expect(data.tokens).toEqual(tokens);
  });

  test("loads nothing: no address but name spaces and the paper's link", () => {
    const page = renderAnalysisReport(plausibleAnalysis());
    const addresses = new Set(page.match(/\b(?:https?:)?\/\/[\w-]+\.[\w.]+[\w/.-]*/g));
    const known = /^http:\/\/www\.w3\.org\/[\w/]+$|^https:\/\/arxiv\.org\/abs\/2406\.01468$/;
    expect([...addresses].filter((address) => !known.test(address))).toEqual([]);
    expect(page).not.toMatch(/@import|url\(\s*["']?(?!#)[a-z]+:/i);
    expect(page).toContain(`content="default-src &#39;none&#39;;`);
  });

  test("gives the same bytes for the same analysis", () => {
    expect(renderAnalysisReport(plausibleAnalysis())).toBe(renderAnalysisReport(plausibleAnalysis()));
  });

  test.each([
    { vocabSize: 8192, hiddenSize: 256, megabytes: 1.2 },
    { vocabSize: 250_000, hiddenSize: 64, megabytes: 12 },
  ])("weighs under $megabytes MB for $vocabSize tokens", ({ vocabSize, hiddenSize, megabytes }) => {
    const page = renderAnalysisReport(plausibleAnalysis({ vocabSize, hiddenSize }));
    expect(new TextEncoder().encode(page).length).toBeLessThan(megabytes * 1e6);
  });

  test("names the ids where padding rows were left out in between", () => {
    const analysis = plausibleAnalysis();
    analysis.encoding.tokenIds = analysis.encoding.tokenIds.map((id) => (id < 100 ? id : id + 7));
    expect(embeddedData(renderAnalysisReport(analysis)).ids).toBeTypeOf("string");
    expect(embeddedData(renderAnalysisReport(plausibleAnalysis())).ids).toBeUndefined();
  });

  test("says so when the fit is poor, flattered or undefined", () => {
    const analysis = plausibleAnalysis();
    Object.assign(analysis.encoding, { r2: 0.3, crossValidatedR2: -0.2, spearman: Number.NaN });
    const page = renderAnalysisReport(analysis);
    expect(page).toContain("explains only 30%");
    expect(page).toContain("worse than a constant");
    expect(page).not.toMatch(/\bNaN\b(?=<)/);
  });

  test("calls no fit sound that was made on too little text, and draws no curve of one point", () => {
    const sound = renderAnalysisReport(plausibleAnalysis());
    expect(sound).toContain("no artefact of the many coefficients");
    expect(sound).toContain("95% interval over windows of text 0.924 to 0.936");
    expect(sound).toContain('id="uncertainty-figure"');
    const analysis = plausibleAnalysis();
    Object.assign(analysis.encoding, { r2: 1, crossValidatedR2: 1 });
    analysis.corpus.contexts = 1;
    analysis.uncertainty = { r2Interval: undefined, r2Curve: analysis.uncertainty.r2Curve.slice(-1) };
    analysis.warnings = ["1 context: R2 = 1 by construction"];
    const page = renderAnalysisReport(analysis);
    expect(page).toContain("<h1>One context cannot tell");
    expect(page).toContain("Warning: 1 context: R2 = 1 by construction.");
    expect(page).toContain("over\n1 context of");
    expect(page).not.toContain("no artefact");
    expect(page).not.toContain("reaches 84%");
    expect(page).not.toContain('id="uncertainty-figure"');
  });
});

function embeddedData(page: string): { tokens: string[]; ids?: string } {
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1];
  return JSON.parse(json ?? "null");
}
