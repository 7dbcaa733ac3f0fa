/** argv: port, fields as JSON, database as JSON. uWebSockets.js alone: all fields in one `writeStatus`. */
import { loadEngine } from '../../../dist/server/engine.js'
import { dataOf } from './data.mjs'
import { connect } from './postgres.mjs'

const [port, fields, database] = process.argv.slice(2)
const data = dataOf(connect(JSON.parse(database)))
const lines = JSON.parse(fields).map(([name, value]) => `\r\n${name}: ${value}`)
const head = new TextEncoder().encode(`200 OK${lines.join('')}`).buffer

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
  .any('/*', (res) => {
    res.writeStatus('404 Not Found').end()
  })
  .listen('127.0.0.1', Number(port), uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
    if (!socket) process.exit(1)
  })
