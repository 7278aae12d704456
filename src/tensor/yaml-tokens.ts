import { type CST, Lexer, Parser } from "yaml";

/**
 * A YAML text as its parser's tokens, for a Composer. What is composed of them is nested no deeper than the parser's stack was:
 * a text of brackets alone would fill that of the process, which then may end at once.
 * @param maxDepth levels of the parser's stack; a list of objects takes six
 * @param tooDeep what is thrown where there are more
 */
export function* yamlTokens(
  text: string,
  { maxDepth, tooDeep, onNewLine }: { maxDepth: number; tooDeep: () => Error; onNewLine?: (offset: number) => void },
): Generator<CST.Token> {
  onNewLine?.(0);
  const parser = new Parser(onNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > maxDepth) throw tooDeep();
  }
  yield* parser.end();
}
