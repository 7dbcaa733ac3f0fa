/** TechEmpower's tests of rows: one statement a row read, whatever else is asked at the same time. */
import { cache, json, type Reply, type Request } from 'uwas'
import { updateWorlds, worldById } from '../models.ts'

const ROWS = 10_000

export async function db(req: Request): Promise<Reply> {
  return json(await worldById.one(req, { id: randomNumber() }))
}

export async function queries(req: Request): Promise<Reply> {
  const reads = Array.from({ length: countOf(req, 'queries') }, () =>
    worldById.one(req, { id: randomNumber() }),
  )
  return json(await Promise.all(reads))
}

/** Rows are changed in the order of their ids, so that two requests do not wait for each other in a circle. */
export async function updates(req: Request): Promise<Reply> {
  const ids = distinctIds(countOf(req, 'queries'))
  const rows = await Promise.all(ids.map((id) => worldById.one(req, { id })))
  const changed = rows.map(({ id }) => ({ id, randomNumber: randomNumber() }))
  await updateWorlds.run(req, { ids, numbers: changed.map((row) => row.randomNumber) })
  return json(changed)
}

export async function cachedQueries(req: Request): Promise<Reply> {
  const worlds = cache(req)
  const reads = Array.from({ length: countOf(req, 'count') }, () => {
    const id = randomNumber()
    return worlds.remember(`world:${id}`, {}, () => worldById.one(req, { id }))
  })
  return json(await Promise.all(reads))
}

function randomNumber(): number {
  return 1 + Math.floor(Math.random() * ROWS)
}

/** In ascending order. */
function distinctIds(count: number): number[] {
  const ids = new Set<number>()
  while (ids.size < count) ids.add(randomNumber())
  return [...ids].sort((a, b) => a - b)
}

/** From 1 to 500; 1 for what is no number. */
function countOf(req: Request, name: string): number {
  const count = Math.trunc(Number(req.query.get(name)))
  return Math.min(500, Math.max(1, count || 1))
}
