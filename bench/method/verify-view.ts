/** Checks the answers of views, before the timing and, by the database's books, after it. */
import type { Scenario, ViewChecks } from '../scenarios/scenario.ts'
import { ask, type Fields } from './ask.ts'
import { differing, OWN, type Verified } from './verify.ts'

const CONCURRENT = 32

/** Throws when an answer is wrong, or when its fields are not those of `expected`. */
export async function verifyView(
  url: string,
  { check }: ViewChecks,
  expected: Fields,
  cannotSet: ReadonlySet<string>,
): Promise<Verified> {
  const answers = await Promise.all(Array.from({ length: CONCURRENT }, () => ask(url, {})))
  for (const answer of answers) {
    if (answer.status !== 200) throw new Error(`the status is ${answer.status}, not 200`)
    check(answer)
  }
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

/** Throws when the database was asked less often than the answers need. */
export function checkReads(scenario: Scenario, requests: number, scans: number): void {
  const needed = requests * (scenario.view?.reads?.times ?? 0)
  if (scans < needed) {
    throw new Error(`${requests} answers need ${needed} reads; the database was asked for ${scans}`)
  }
}
