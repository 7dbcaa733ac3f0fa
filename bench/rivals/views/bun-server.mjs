/** argv: port, fields as JSON, database as JSON, client, folder of files or ''. Runs in Bun, with Bun's own client for PostgreSQL. */
import { SQL } from 'bun'
import { dataOf } from './data.mjs'
import { filesOf } from './files.mjs'

const [port, fields, database, , files] = process.argv.slice(2)
const { folder, port: socketPort, user, name } = JSON.parse(database)
const sql = new SQL({
  adapter: 'postgres',
  path: `${folder}/.s.PGSQL.${socketPort}`,
  username: user,
  database: name,
  max: 1,
})
const data = dataOf(
  {
    world: async (id) =>
      (await sql`select id, randomnumber as "randomNumber" from world where id = ${id}`)[0],
    update: (ids, numbers) =>
      sql`update world set randomnumber = sent.number
        from unnest(${sql.array(ids, 'INT')}, ${sql.array(numbers, 'INT')}) as sent (id, number)
        where world.id = sent.id`,
    fortunes: async () => [...(await sql`select id, message from fortune`)],
    articles: () =>
      sql`select id, author_id as "authorId", title, summary from article order by id desc limit 20`,
    authors: (ids) => sql`select id, name from author where id = any (${sql.array(ids, 'INT')})`,
  },
  Bun.escapeHTML,
)
const headers = JSON.parse(fields)
const answer = (body) => new Response(body, { headers })
const asked = ({ url }, field) => new URL(url).searchParams.get(field)

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  routes: {
    ...Object.fromEntries(
      filesOf(files, headers).map(([path, { body, fields: all }]) => [
        path,
        new Response(body, { headers: all }),
      ]),
    ),
    '/plaintext': () => answer('Hello, World!'),
    '/json': () => answer(JSON.stringify({ message: 'Hello, World!' })),
    '/db': async () => answer(JSON.stringify(await data.db())),
    '/queries': async (request) =>
      answer(JSON.stringify(await data.queries(asked(request, 'queries')))),
    '/updates': async (request) =>
      answer(JSON.stringify(await data.updates(asked(request, 'queries')))),
    '/cached-queries': async (request) =>
      answer(JSON.stringify(await data.cachedQueries(asked(request, 'count')))),
    '/fortunes': async () => answer(await data.fortunes()),
    '/articles': async () => answer(await data.articles()),
  },
  fetch: () => new Response('not found', { status: 404 }),
})
