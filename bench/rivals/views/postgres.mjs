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
    fortunes: async () => [...(await sql`select id, message from fortune`)],
  }
}
