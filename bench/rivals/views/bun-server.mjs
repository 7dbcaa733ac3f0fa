/** argv: port, fields as JSON, database as JSON. Runs in Bun, with Bun's own client for PostgreSQL. */
import { SQL } from 'bun'
import { countOf, fortunesPage, randomId, sortFortunes } from './views.mjs'

const [port, fields, database] = process.argv.slice(2)
const { folder, port: socketPort, user, name } = JSON.parse(database)
const sql = new SQL({
  adapter: 'postgres',
  path: `${folder}/.s.PGSQL.${socketPort}`,
  username: user,
  database: name,
  max: 1,
})
const headers = JSON.parse(fields)
const answer = (body) => new Response(body, { headers })

async function world(id) {
  const [row] = await sql`select id, randomnumber as "randomNumber" from world where id = ${id}`
  return row
}

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  routes: {
    '/plaintext': () => answer('Hello, World!'),
    '/json': () => answer(JSON.stringify({ message: 'Hello, World!' })),
    '/db': async () => answer(JSON.stringify(await world(randomId()))),
    '/queries': async (request) => {
      const length = countOf(new URL(request.url).searchParams.get('queries'))
      const rows = await Promise.all(Array.from({ length }, () => world(randomId())))
      return answer(JSON.stringify(rows))
    },
    '/fortunes': async () => {
      const rows = await sql`select id, message from fortune`
      return answer(fortunesPage(sortFortunes([...rows]), Bun.escapeHTML))
    },
  },
  fetch: () => new Response('not found', { status: 404 }),
})
