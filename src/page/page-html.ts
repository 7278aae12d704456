import { html } from "../report/page/html.js";

/** Where the page's own files are, and what they may do. */
export interface PageFrame {
  /** Content security policy; undefined where the server says it in a header. */
  readonly policy?: string | undefined;
  /** The token of the server behind the page; undefined for a page by itself. */
  readonly token?: string | undefined;
}

/** Nothing runs or loads but the page's own files; onnxruntime's WebAssembly needs leave to be compiled. */
export function pagePolicy(connect: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    `connect-src ${["'self'", ...connect].join(" ")}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** The explorer's page: an empty frame that its script fills. */
export function pageHtml({ policy, token }: PageFrame): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${policy === undefined ? undefined : html`<meta http-equiv="Content-Security-Policy" content="${policy}">`}
${token === undefined ? undefined : html`<meta name="unembed-token" content="${token}">`}
<meta name="description" content="Open a language model, see how the probability of every token is written in its output embedding, and change it.">
<title>unembed explorer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="explorer.css">
</head>
<body>
<div id="explorer"></div>
<noscript><p>The explorer needs JavaScript.</p></noscript>
<script type="module" src="explorer.js"></script>
</body>
</html>
`.markup;
}
