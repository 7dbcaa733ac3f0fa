/** The views of TechEmpower's tests: one statement a row, no caches, what is added is added at each request. */
import { json as jsonReply, type Reply, type Request, render, text } from 'uwas'
import { allFortunes, worldById } from './models.ts'

const ROWS = 10_000

export function plaintext(): Reply {
  return text('Hello, World!')
}

export function json(): Reply {
  return jsonReply({ message: 'Hello, World!' })
}

export async function db(req: Request): Promise<Reply> {
  return jsonReply(await worldById.one(req, { id: randomId() }))
}

export async function queries(req: Request): Promise<Reply> {
  const reads = Array.from({ length: countOf(req) }, () => worldById.one(req, { id: randomId() }))
  return jsonReply(await Promise.all(reads))
}

export async function fortunes(req: Request): Promise<Reply> {
  const rows = await allFortunes.all(req)
  rows.push({ id: 0, message: 'Additional fortune added at request time.' })
  rows.sort((a, b) => (a.message < b.message ? -1 : 1))
  return render(req, 'fortunes', { rows })
}

function randomId(): number {
  return 1 + Math.floor(Math.random() * ROWS)
}

/** From 1 to 500; 1 for what is no number. */
function countOf(req: Request): number {
  const count = Math.trunc(Number(req.query.get('queries')))
  return Math.min(500, Math.max(1, count || 1))
}
