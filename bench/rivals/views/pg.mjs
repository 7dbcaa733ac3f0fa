/** node-postgres over the unix socket, with named, hence prepared, statements: a pool as most use it, or one pipelined client. */
import pg from 'pg'
import { SQL } from './sql.mjs'

/** `pooled`: as many connections as `pg.Pool` has by default, 10, each with one statement at a time. */
export async function connect({ folder, port, user, name }, pooled) {
  const place = { host: folder, port, user, database: name }
  const client = pooled ? new pg.Pool(place) : new pg.Client({ ...place, pipeline: true })
  if (!pooled) await client.connect()
  const run = async (statement, ...values) =>
    (await client.query({ name: statement, text: SQL[statement], values })).rows
  return {
    world: async (id) => (await run('world', id))[0],
    update: (ids, numbers) => run('update', ids, numbers),
    fortunes: () => run('fortunes'),
    articles: () => run('articles'),
    authors: (ids) => run('authors', ids),
  }
}
