/** Checks of answers that list rows of `world`. */
import type { Answer } from '../method/ask.ts'
import { numberOf, WORLDS } from './rows.ts'

interface World {
  readonly id: number
  readonly randomNumber: number
}

/** Throws unless the two are alike as JSON. */
export function same(actual: unknown, expected: unknown): void {
  const [is, shallBe] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== shallBe) throw new Error(`the answer has ${is}, not ${shallBe}`)
}

/** One row as the database has had it from the start. */
export function checkWorld(answer: Answer): void {
  checkNumbers([JSON.parse(answer.body.toString())])
}

/** A check of a list of `count` such rows. */
export function checkWorlds(count: number): (answer: Answer) => void {
  return (answer) => checkNumbers(listOf(answer, count))
}

/** A check of a list of `count` rows with new numbers; no row stands there twice. */
export function checkUpdated(count: number): (answer: Answer) => void {
  return (answer) => {
    const rows = listOf(answer, count)
    same(new Set(rows.map(({ id }) => id)).size, count)
    const isChanged = ({ id, randomNumber }: World): boolean => randomNumber !== numberOf(id)
    for (const { randomNumber } of rows) checkRange(randomNumber)
    if (count > 1 && !rows.some(isChanged)) throw new Error('all numbers are the old ones')
  }
}

/** SQL that gives `t` when the rows of the answer stand in the database. */
export function storedWorlds(answer: Answer): string {
  const rows: World[] = JSON.parse(answer.body.toString())
  const values = rows.map(({ id, randomNumber }) => `(${id}, ${randomNumber})`).join(', ')
  return `select count(*) = ${rows.length} from world
    join (values ${values}) as sent (id, number) on sent.id = world.id and sent.number = randomnumber`
}

function listOf(answer: Answer, count: number): World[] {
  const rows: World[] = JSON.parse(answer.body.toString())
  same(rows.length, count)
  for (const { id } of rows) checkRange(id)
  return rows
}

function checkNumbers(rows: readonly World[]): void {
  for (const { id } of rows) checkRange(id)
  same(
    rows,
    rows.map(({ id }) => ({ id, randomNumber: numberOf(id) })),
  )
}

function checkRange(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > WORLDS) {
    throw new Error(`${number} is none of 1 to ${WORLDS}`)
  }
}
