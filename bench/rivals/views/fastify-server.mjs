/** argv: port, fields as JSON, database as JSON, client, folder of files or ''. Fastify with schemas for what it sends. */
import serveFiles from '@fastify/static'
import fastify from 'fastify'
import { dataOf } from './data.mjs'
import { connect } from './database.mjs'

const [port, fields, database, client, files] = process.argv.slice(2)
const data = dataOf(await connect(client, JSON.parse(database)))
const headers = Object.fromEntries(JSON.parse(fields))
const app = fastify({ logger: false })

const object = (properties) => ({ type: 'object', properties })
const row = object({ id: { type: 'integer' }, randomNumber: { type: 'integer' } })
const sends = (schema) => ({ schema: { response: { 200: schema } } })
const sendsRows = sends({ type: 'array', items: row })

app.get('/plaintext', (_, reply) => {
  reply.headers(headers).send('Hello, World!')
})
app.get('/json', sends(object({ message: { type: 'string' } })), (_, reply) => {
  reply.headers(headers).send({ message: 'Hello, World!' })
})
app.get('/db', sends(row), (_, reply) => {
  reply.headers(headers)
  return data.db()
})
app.get('/queries', sendsRows, (request, reply) => {
  reply.headers(headers)
  return data.queries(request.query.queries)
})
app.get('/updates', sendsRows, (request, reply) => {
  reply.headers(headers)
  return data.updates(request.query.queries)
})
app.get('/cached-queries', sendsRows, (request, reply) => {
  reply.headers(headers)
  return data.cachedQueries(request.query.count)
})
app.get('/fortunes', (_, reply) => {
  reply.headers(headers)
  return data.fortunes()
})
app.get('/articles', (_, reply) => {
  reply.headers(headers)
  return data.articles()
})

if (files !== '') {
  const rest = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type')
  await app.register(serveFiles, {
    root: files,
    setHeaders(reply) {
      for (const [name, value] of rest) reply.header(name, value)
    },
  })
}

await app.listen({ host: '127.0.0.1', port: Number(port) })
