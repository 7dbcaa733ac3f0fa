/** postgres.js as it is quickest: one connection over the unix socket, pipelined, prepared statements. */
import postgres from 'postgres'

export function connect({ folder, port, user, name }) {
  const sql = postgres({
    path: `${folder}/.s.PGSQL.${port}`,
    user,
    database: name,
    max: 1,
    max_pipeline: 100_000,
    max_lifetime: null,
    fetch_types: false,
  })
  return {
    world: async (id) =>
      (await sql`select id, randomnumber as "randomNumber" from world where id = ${id}`)[0],
    update: (ids, numbers) =>
      sql`update world set randomnumber = sent.number
        from unnest(${arrayOf(ids)}::int[], ${arrayOf(numbers)}::int[]) as sent (id, number) where world.id = sent.id`,
    fortunes: async () => [...(await sql`select id, message from fortune`)],
    articles: () =>
      sql`select id, author_id as "authorId", title, summary from article order by id desc limit 20`,
    authors: (ids) => sql`select id, name from author where id = any (${arrayOf(ids)}::int[])`,
  }
}

/** As PostgreSQL writes it: postgres.js knows no arrays as long as it fetches no types. */
function arrayOf(numbers) {
  return `{${numbers.join(',')}}`
}
