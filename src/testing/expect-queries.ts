/** Counts the statements of some work, for the test client. */
import { AssertionError } from 'node:assert'
import type { Recording } from '../core/trace.ts'
import { currentRecording, recorded } from '../model/recorded.ts'

/** Throws an AssertionError that lists the statements where there are more or fewer than `count`. */
export async function expectQueries<T>(count: number, work: () => Promise<T> | T): Promise<T> {
  const around = currentRecording()
  const recording: Recording = { statements: [], templates: [] }
  const { statements } = recording
  const result = await recorded(recording, work)
  around?.statements.push(...statements)
  if (statements.length === count) return result
  const list = statements.map((name, i) => `\n  ${i + 1}. ${name}`).join('')
  const message = `expected ${plural(count)}, there ${statements.length === 1 ? 'was' : 'were'} ${statements.length}${list === '' ? '' : `:${list}`}`
  const values = { actual: statements.length, expected: count, operator: 'expectQueries' }
  throw new AssertionError({ message, ...values, stackStartFn: expectQueries })
}

function plural(count: number): string {
  return count === 1 ? '1 statement' : `${count} statements`
}
