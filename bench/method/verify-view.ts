/** Checks the answers of views, before the timing and, by the database's books, after it. */
import type { Edge, Scenario, ViewChecks } from '../scenarios/scenario.ts'
import { type Answer, ask, type Fields } from './ask.ts'
import type { OwnDatabase } from './database.ts'
import { differing, OWN, type Verified } from './verify.ts'

const CONCURRENT = 32

export interface VerifyOptions {
  readonly expected: Fields
  readonly cannotSet: ReadonlySet<string>
  readonly database: OwnDatabase | undefined
}

/** Throws when an answer is wrong, or when its fields are not those of `expected`. */
export async function verifyView(
  origin: string,
  path: string,
  checks: ViewChecks,
  { expected, cannotSet, database }: VerifyOptions,
): Promise<Verified> {
  const url = origin + path
  const answers = await Promise.all(Array.from({ length: CONCURRENT }, () => ask(url, {})))
  for (const answer of answers) checkAnswer(answer, checks)
  for (const edge of checks.edges ?? []) await verifyEdge(origin, edge)
  await verifyStored(checks, await ask(url, {}), database)
  const fields = answers[0]?.fields ?? []
  const differ = answers[0] === undefined ? [] : differing(answers[0], expected)
  const wrong = differ.filter((name) => !cannotSet.has(name))
  if (wrong.length > 0) throw new Error(`fields differ: ${wrong.join(', ')}`)
  return {
    requestHeaders: {},
    fields,
    plain: fields.filter(([name]) => !OWN.has(name.toLowerCase())),
    differing: differ,
  }
}

/** Throws when the database was asked less often, or fewer rows were changed, than the answers need. */
export async function checkBooks(
  { view }: Scenario,
  requests: number,
  database: OwnDatabase,
): Promise<void> {
  const { reads, writes } = view ?? {}
  if (reads !== undefined) {
    enough(requests, reads.times, await database.scans(reads.table), 'reads')
  }
  if (writes !== undefined) {
    enough(requests, writes.times, await database.updates(writes.table), 'changed rows')
  }
}

function enough(requests: number, times: number, counted: number, what: string): void {
  if (counted >= requests * times) return
  throw new Error(
    `${requests} answers need ${requests * times} ${what}; the database counted ${counted}`,
  )
}

type Checks = Pick<ViewChecks, 'check'>

function checkAnswer(answer: Answer, { check }: Checks): void {
  if (answer.status !== 200) throw new Error(`the status is ${answer.status}, not 200`)
  check(answer)
}

async function verifyEdge(origin: string, edge: Edge): Promise<void> {
  try {
    checkAnswer(await ask(origin + edge.path, {}), edge)
  } catch (error) {
    throw new Error(`${edge.path}: ${(error as Error).message}`)
  }
}

async function verifyStored(
  { stored }: ViewChecks,
  answer: Answer,
  database: OwnDatabase | undefined,
): Promise<void> {
  if (stored === undefined) return
  if ((await database?.ask(stored(answer))) === 't') return
  throw new Error('the database does not hold what the answer says')
}
