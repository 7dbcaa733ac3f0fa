/** argv: port, fields as JSON, database as JSON, client, folder of files or ''. Express without what it adds by itself. */
import express from 'express'
import { dataOf } from './data.mjs'
import { connect } from './database.mjs'

const [port, fields, database, client, files] = process.argv.slice(2)
const data = dataOf(await connect(client, JSON.parse(database)))
const headers = Object.fromEntries(JSON.parse(fields))
const rest = Object.fromEntries(
  Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type'),
)
const app = express().disable('x-powered-by').disable('etag')

app.get('/plaintext', (_, res) => {
  res.set(headers).send('Hello, World!')
})
app.get('/json', (_, res) => {
  res.set(headers).json({ message: 'Hello, World!' })
})
app.get('/db', async (_, res) => {
  res.set(headers).json(await data.db())
})
app.get('/queries', async (req, res) => {
  res.set(headers).json(await data.queries(req.query.queries))
})
app.get('/updates', async (req, res) => {
  res.set(headers).json(await data.updates(req.query.queries))
})
app.get('/cached-queries', async (req, res) => {
  res.set(headers).json(await data.cachedQueries(req.query.count))
})
app.get('/fortunes', async (_, res) => {
  res.set(headers).send(await data.fortunes())
})
app.get('/articles', async (_, res) => {
  res.set(headers).send(await data.articles())
})

if (files !== '') {
  app.use(
    express.static(files, {
      index: false,
      setHeaders: (res) => res.set(rest),
    }),
  )
}

app.listen(Number(port), '127.0.0.1')
