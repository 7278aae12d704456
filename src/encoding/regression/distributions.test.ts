import { describe, expect, it } from "vitest";
import { fisherUpperTail, studentTwoSided } from "./distributions.js";

// Right to 16 digits: mpmath's incomplete beta function with 30; scipy 1.17 agrees to 1e-9 or better.
describe("Student's t, two-sided", () => {
  it.each([
    [1.75, 2, 0.2222222222222222],
    [1e-8, 30, 0.9999999920873563],
    [1e-8, 250_000, 0.9999999920211624],
    [0.01, 50_000, 0.9920213272668597],
    [0.5, 3, 0.651447964848151],
    [1, 2, 0.4226497308103742],
    [1, 100, 0.3197241557841234],
    [1.7, 50_000, 0.08913714497790576],
    [1.75, 250_000, 0.08011954048337215],
    [2, 50_000, 0.04550566304429743],
    [5, 1, 0.12566591637800237],
    [5, 3, 0.015392438073302301],
    [5, 250_000, 5.736897958384537e-7],
    [10, 30, 4.575251408229613e-11],
    [37, 1, 0.017201752210866308],
    [37, 3, 4.3423488124979124e-5],
    [37, 30, 1.3605806291419865e-26],
    [37, 1000, 1.7300788809913061e-189],
    [37, 7935, 1.3285472020572984e-276],
    [37, 250_000, 7.430409603304283e-299],
  ])("t = %d with %d degrees of freedom", (t, degrees, wanted) => {
    expect(Math.abs(studentTwoSided(t, degrees) / wanted - 1)).toBeLessThan(2e-11);
    expect(studentTwoSided(-t, degrees)).toBe(studentTwoSided(t, degrees));
  });

  it("at its ends", () => {
    expect(studentTwoSided(0, 7)).toBe(1);
    expect(studentTwoSided(Number.POSITIVE_INFINITY, 7)).toBe(0);
    expect(studentTwoSided(Number.NaN, 7)).toBeNaN();
  });
});

describe("Fisher's F, upper tail", () => {
  it.each([
    [1e-6, 1, 1, 0.9993633804398389],
    [0.1, 2, 7, 0.9061068269189959],
    [0.5, 16, 20, 0.918059873461483],
    [0.9, 1, 1, 0.5167608961656444],
    [1, 16, 20, 0.49293701502214765],
    [1, 1, 250_000, 0.3173114757448443],
    [1.01, 256, 7935, 0.44471921723648133],
    [1.01, 768, 49_488, 0.4166755935102775],
    [1.01, 2560, 250_000, 0.35795584120821117],
    [1.1, 256, 3, 0.5628454213059939],
    [5, 16, 20, 0.0004932497375232],
    [10, 1, 250_000, 0.0015655892724345927],
  ])("F = %d with %d and %d degrees of freedom", (f, numerator, denominator, wanted) => {
    expect(Math.abs(fisherUpperTail(f, numerator, denominator) / wanted - 1)).toBeLessThan(2e-11);
  });

  it("at its ends", () => {
    expect(fisherUpperTail(0, 3, 4)).toBe(1);
    expect(fisherUpperTail(434, 256, 7935)).toBe(0);
    expect(fisherUpperTail(Number.POSITIVE_INFINITY, 3, 4)).toBe(0);
    expect(fisherUpperTail(Number.NaN, 3, 4)).toBeNaN();
  });
});
