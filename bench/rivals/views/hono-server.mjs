/** argv: port, fields as JSON, database as JSON, client, folder of files or ''. Hono in its adapter for Node. */
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { dataOf } from './data.mjs'
import { connect } from './database.mjs'

const [port, fields, database, client, files] = process.argv.slice(2)
const data = dataOf(await connect(client, JSON.parse(database)))
const headers = Object.fromEntries(JSON.parse(fields))
const app = new Hono()

app.get('/plaintext', (c) => c.body('Hello, World!', 200, headers))
app.get('/json', (c) => c.body(JSON.stringify({ message: 'Hello, World!' }), 200, headers))
app.get('/db', async (c) => c.body(JSON.stringify(await data.db()), 200, headers))
app.get('/queries', async (c) =>
  c.body(JSON.stringify(await data.queries(c.req.query('queries'))), 200, headers),
)
app.get('/updates', async (c) =>
  c.body(JSON.stringify(await data.updates(c.req.query('queries'))), 200, headers),
)
app.get('/cached-queries', async (c) =>
  c.body(JSON.stringify(await data.cachedQueries(c.req.query('count'))), 200, headers),
)
app.get('/fortunes', async (c) => c.body(await data.fortunes(), 200, headers))
app.get('/articles', async (c) => c.body(await data.articles(), 200, headers))

if (files !== '') {
  const rest = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type')
  const onFound = (_, c) => {
    for (const [name, value] of rest) c.header(name, value)
  }
  app.use('/static/*', serveStatic({ root: files, onFound }))
}

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(port) })
