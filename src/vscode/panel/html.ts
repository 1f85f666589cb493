import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { panelWords } from './panelWords';

/** The panel's page: nothing may be loaded but its own script and style, and nothing may be reached. */
export function panelHtml(webview: vscode.Webview, root: vscode.Uri, folder: string): string {
  const nonce = randomBytes(18).toString('base64');
  const asset = (name: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(root, 'dist', 'webview', name)).toString();
  // Charts are drawn on canvases and exported as data: images; the toolkit styles its elements by constructed sheets.
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    'img-src data:',
  ].join('; ');
  const boot = JSON.stringify({ folder, words: panelWords() }).replaceAll('<', '\\u003c');
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>ShrinkNets</title>
    <link rel="stylesheet" href="${asset('panel.css')}">
  </head>
  <body>
    <main id="panel"></main>
    <script id="boot" type="application/json" nonce="${nonce}">${boot}</script>
    <script nonce="${nonce}" src="${asset('panel.js')}"></script>
  </body>
</html>`;
}
