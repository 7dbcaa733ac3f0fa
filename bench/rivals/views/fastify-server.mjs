/** argv: port, fields as JSON, database as JSON. Fastify with schemas for what it sends. */
import fastify from 'fastify'
import { connect } from './postgres.mjs'
import { countOf, escapeHtml, fortunesPage, randomId, sortFortunes } from './views.mjs'

const [port, fields, database] = process.argv.slice(2)
const { world, fortunes } = connect(JSON.parse(database))
const headers = Object.fromEntries(JSON.parse(fields))
const app = fastify({ logger: false })

const object = (properties) => ({ type: 'object', properties })
const row = object({ id: { type: 'integer' }, randomNumber: { type: 'integer' } })
const sends = (schema) => ({ schema: { response: { 200: schema } } })

app.get('/plaintext', (_, reply) => {
  reply.headers(headers).send('Hello, World!')
})
app.get('/json', sends(object({ message: { type: 'string' } })), (_, reply) => {
  reply.headers(headers).send({ message: 'Hello, World!' })
})
app.get('/db', sends(row), async (_, reply) => {
  reply.headers(headers)
  return world(randomId())
})
app.get('/queries', sends({ type: 'array', items: row }), async (request, reply) => {
  reply.headers(headers)
  return Promise.all(
    Array.from({ length: countOf(request.query.queries) }, () => world(randomId())),
  )
})
app.get('/fortunes', async (_, reply) => {
  reply.headers(headers)
  return fortunesPage(sortFortunes(await fortunes()), escapeHtml)
})

await app.listen({ host: '127.0.0.1', port: Number(port) })
