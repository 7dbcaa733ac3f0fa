/** argv: port, fields as JSON, database as JSON, client, folder of files or ''. uWebSockets.js alone: all fields in one `writeStatus`. */
import { loadEngine } from '../../../dist/server/engine.js'
import { dataOf } from './data.mjs'
import { filesOf } from './files.mjs'
import { connect } from './postgres.mjs'

const [port, fields, database, , folder] = process.argv.slice(2)
const data = dataOf(connect(JSON.parse(database)))
const headOf = (all) => {
  const lines = all.map(([name, value]) => `\r\n${name}: ${value}`)
  return new TextEncoder().encode(`200 OK${lines.join('')}`).buffer
}
const head = headOf(JSON.parse(fields))
const files = new Map(
  filesOf(folder, JSON.parse(fields)).map(([path, { body, fields: all }]) => [
    path,
    { body: new Uint8Array(body).buffer, head: headOf(all) },
  ]),
)

/** `make` gives the body's promise; it may read the request before it waits. */
const later = (make) => (res, req) => {
  let aborted = false
  res.onAborted(() => {
    aborted = true
  })
  make(req).then((body) => {
    if (!aborted) res.cork(() => res.writeStatus(head).end(body))
  })
}
const json = (make) => later(async (req) => JSON.stringify(await make(req)))

const { uws } = loadEngine()
uws
  .App()
  .get('/plaintext', (res) => {
    res.writeStatus(head).end('Hello, World!')
  })
  .get('/json', (res) => {
    res.writeStatus(head).end(JSON.stringify({ message: 'Hello, World!' }))
  })
  .get('/db', json(data.db))
  .get(
    '/queries',
    json((req) => data.queries(req.getQuery('queries'))),
  )
  .get(
    '/updates',
    json((req) => data.updates(req.getQuery('queries'))),
  )
  .get(
    '/cached-queries',
    json((req) => data.cachedQueries(req.getQuery('count'))),
  )
  .get('/fortunes', later(data.fortunes))
  .get('/articles', later(data.articles))
  .any('/*', (res, req) => {
    const file = files.get(req.getUrl())
    if (file === undefined) res.writeStatus('404 Not Found').end()
    else res.writeStatus(file.head).end(file.body)
  })
  .listen('127.0.0.1', Number(port), uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
    if (!socket) process.exit(1)
  })
