/**
 * argv: folder, port, fields as JSON. Runs in Bun: a static route a file, from memory. Static routes do not
 * look at Accept-Encoding, so a file with a `.gz` sibling gets a handler.
 */
import { readFolder } from './folder.mjs'

const [dir, port, fields] = process.argv.slice(2)
const routes = {}
for (const [path, { body, fields: all, gzip }] of readFolder(dir, JSON.parse(fields))) {
  routes[path] =
    gzip === undefined
      ? new Response(body, { headers: all })
      : (request) =>
          request.headers.get('accept-encoding')?.includes('gzip')
            ? new Response(gzip, { headers: [...all, ['Content-Encoding', 'gzip']] })
            : new Response(body, { headers: all })
}

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  routes,
  fetch: () => new Response('not found', { status: 404 }),
})
