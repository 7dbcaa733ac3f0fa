/** Checks a rival's answers before anything is timed: a fast wrong answer is worth nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { answeringFile, requestHeaders, type Scenario } from '../scenarios/scenario.ts'
import { type Answer, ask, askPipelined, type Fields } from './ask.ts'

/** Framing and the fields that each server words in its own way. */
export const OWN = new Set([
  'date',
  'content-length',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'server',
  'uwebsockets',
  'etag',
  'last-modified',
  'accept-ranges',
])

/** Paths checked when the scenario has many. */
const PROBES = 200

export interface Verified {
  /** What the load sends with each request. */
  readonly requestHeaders: Readonly<Record<string, string>>
  /** Fields of the timed answer. */
  readonly fields: Fields
  /** Fields of a plain 200 for the same path, without coding, Date and framing: what rivals shall send. */
  readonly plain: Fields
  /** Names of the fields that are not there as `expected` has them. */
  readonly differing: readonly string[]
}

/**
 * Throws when status, coding, length or body of an answer is wrong, or when Date, Content-Length or a field
 * of `expected` is not there alike, unless the rival cannot set it.
 */
export async function verify(
  origin: string,
  scenario: Scenario,
  dir: string,
  expected: Fields,
  cannotSet: ReadonlySet<string>,
): Promise<Verified> {
  const headers = requestHeaders(scenario)
  const first = scenario.paths[0] as string
  const plain = await ask(`${origin}${first}`, {})
  check(plain, 200, readFileSync(join(dir, first.slice(1))), undefined)
  if (scenario.revalidates) headers['If-None-Match'] = etagOf(plain)
  const status = scenario.revalidates ? 304 : 200
  let timed = plain
  for (const path of probes(scenario.paths)) {
    const body =
      status === 304 ? Buffer.alloc(0) : readFileSync(join(dir, answeringFile(scenario, path)))
    const answers =
      scenario.pipelined === undefined
        ? [await ask(`${origin}${path}`, headers)]
        : await askPipelined(`${origin}${path}`, headers, scenario.pipelined)
    for (const answer of answers) check(answer, status, body, scenario.gzip && 'gzip')
    timed = answers[0] as Answer
    if (scenario.closes && timed.field('connection')?.toLowerCase() !== 'close') {
      throw new Error('the answer does not say Connection: close')
    }
  }
  const differ = differing(timed, expected)
  const wrong = differ.filter((name) => !cannotSet.has(name))
  if (wrong.length > 0) throw new Error(`fields differ: ${wrong.join(', ')}`)
  return {
    requestHeaders: headers,
    fields: timed.fields,
    plain: plain.fields.filter(([name]) => !OWN.has(name.toLowerCase())),
    differing: differ,
  }
}

function probes(paths: readonly string[]): ReadonlySet<string> {
  return new Set([...paths.slice(0, PROBES), ...paths.slice(-PROBES)])
}

function etagOf(answer: Answer): string {
  const etag = answer.field('etag')
  if (etag === undefined) throw new Error('the answer has no ETag')
  return etag
}

function check(answer: Answer, status: number, body: Buffer, coding: string | undefined): void {
  if (answer.status !== status) throw new Error(`the status is ${answer.status}, not ${status}`)
  const length = answer.field('content-length')
  if (status !== 304 && length !== undefined && length !== String(body.length)) {
    throw new Error(`Content-Length is ${length}, not ${body.length}`)
  }
  if (!answer.body.equals(body))
    throw new Error(`the body is another (${answer.body.length} bytes)`)
  const sent = status === 304 ? undefined : answer.field('content-encoding')
  if (sent !== coding) throw new Error(`Content-Encoding is ${sent}, not ${coding}`)
}

/** Names of the fields of `answer` that are not as in `expected`; `+` before those that are too many. */
export function differing(answer: Answer, expected: Fields): string[] {
  const names = (fields: Fields) => fields.map(([name]) => name.toLowerCase())
  const wanted = expected.filter(([name, value]) => answer.field(name) !== value)
  const known = new Set(names(expected))
  const added = answer.fields.filter(
    ([name]) => expected.length > 0 && !known.has(name.toLowerCase()),
  )
  const needed = answer.status === 304 ? ['date'] : ['date', 'content-length']
  return [
    ...needed.filter((name) => answer.field(name) === undefined),
    ...names(wanted).filter((name) => !OWN.has(name)),
    ...names(added)
      .filter((name) => !OWN.has(name))
      .map((name) => `+${name}`),
  ]
}
