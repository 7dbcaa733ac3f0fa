/** What the commands' options may be. Each throws an error that says what would do. */
import { scenarios } from '../scenarios/all.ts'
import type { Scenario } from '../scenarios/scenario.ts'

export function whole(text: string, name: string, least = 1, most = 1000): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new Error(`--${name} is ${text}; it has to be a whole number from ${least} to ${most}`)
}

/** In the order of the names; `all` stands for all. */
export function scenariosOf(names: readonly string[]): readonly Scenario[] {
  if (names.includes('all')) return scenarios
  return names.map((name) => {
    const scenario = scenarios.find((one) => one.name === name)
    if (scenario === undefined) throw new Error(`there is no scenario ${name}; --list shows all`)
    return scenario
  })
}
