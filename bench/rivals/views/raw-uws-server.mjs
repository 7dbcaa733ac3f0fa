/** argv: port, fields as JSON, database as JSON. uWebSockets.js alone: all fields in one `writeStatus`. */
import { loadEngine } from '../../../dist/server/engine.js'
import { connect } from './postgres.mjs'
import { countOf, escapeHtml, fortunesPage, randomId, sortFortunes } from './views.mjs'

const [port, fields, database] = process.argv.slice(2)
const { world, fortunes } = connect(JSON.parse(database))
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

const { uws } = loadEngine()
uws
  .App()
  .get('/plaintext', (res) => {
    res.writeStatus(head).end('Hello, World!')
  })
  .get('/json', (res) => {
    res.writeStatus(head).end(JSON.stringify({ message: 'Hello, World!' }))
  })
  .get(
    '/db',
    later(async () => JSON.stringify(await world(randomId()))),
  )
  .get(
    '/queries',
    later(async (req) => {
      const length = countOf(req.getQuery('queries'))
      return JSON.stringify(await Promise.all(Array.from({ length }, () => world(randomId()))))
    }),
  )
  .get(
    '/fortunes',
    later(async () => fortunesPage(sortFortunes(await fortunes()), escapeHtml)),
  )
  .any('/*', (res) => {
    res.writeStatus('404 Not Found').end()
  })
  .listen('127.0.0.1', Number(port), uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
    if (!socket) process.exit(1)
  })
