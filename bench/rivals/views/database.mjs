/** The database by the name of its client: what the servers of several clients ask for. */

export async function connect(client, place) {
  if (client === 'postgres.js') return (await import('./postgres.mjs')).connect(place)
  return (await import('./pg.mjs')).connect(place, client === 'pg.Pool')
}
