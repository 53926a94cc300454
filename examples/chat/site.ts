import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

interface File {
  readonly type: string
  readonly body: Uint8Array
}

const source = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url))

/**
 * Bundles the page and returns what serves it.
 *
 * @throws esbuild's error, which it has printed with the line it is about, when the page does not compile
 */
export async function createSite(): Promise<RequestListener> {
  const files = new Map<string, File>([
    ['/', { type: 'text/html', body: await readFile(source('index.html')) }],
    ['/icon.svg', { type: 'image/svg+xml', body: await readFile(source('icon.svg')) }],
    ['/healthz', { type: 'text/plain', body: Buffer.from('ok') }],
    ...(await bundle()),
  ])
  return (request, response) => answer(files, request, response)
}

async function bundle(): Promise<[string, File][]> {
  const { outputFiles } = await build({
    entryPoints: [source('page.ts'), source('style.css')],
    outdir: '/',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
  })
  return outputFiles.map(({ path, contents }) => {
    const name = path.endsWith('.css') ? '/style.css' : '/page.js'
    return [name, { type: path.endsWith('.css') ? 'text/css' : 'text/javascript', body: contents }]
  })
}

function answer(files: ReadonlyMap<string, File>, request: IncomingMessage, response: ServerResponse): void {
  const [path = '/'] = (request.url ?? '/').split('?', 1)
  const file = files.get(path)
  if (file === undefined) return void response.writeHead(404, headersFor(request)).end()
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return void response.writeHead(405, { ...headersFor(request), Allow: 'GET, HEAD' }).end()
  }
  const type = `${file.type}; charset=utf-8`
  response.writeHead(200, { ...headersFor(request), 'Content-Type': type, 'Content-Length': file.body.byteLength })
  response.end(request.method === 'HEAD' ? undefined : file.body)
}

/** The page runs our script and style, talks to our WebSocket, and does nothing else; nobody frames it. */
function headersFor({ headers }: IncomingMessage): Record<string, string> {
  // Not every browser counts ws://this-host as 'self'. The host is what the client says it is, so only a plain one goes in.
  const host = /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(headers.host ?? '') ? headers.host : undefined
  const sockets = host === undefined ? '' : ` ws://${host} wss://${host}`
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src 'self'${sockets}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ].join('; '),
    'Cache-Control': 'no-cache',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  }
}
