/** What the commands' options may be. Each throws an error that says what would do. */
import { cores, listOf } from '../method/cores.ts'
import { rivals } from '../rivals/all.ts'
import { observedRivals } from '../rivals/observed.ts'
import type { Rival } from '../rivals/rival.ts'
import { secureRivals } from '../rivals/secure.ts'
import { viewRivals } from '../rivals/views.ts'
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

export interface Entrants {
  readonly here: readonly Rival[]
  /** How to get those that are not. */
  readonly absent: readonly string[]
}

/** The rivals of a scenario that can run here: all, or those of the names. uwas is always the first: the others are given its fields. */
export function entrantsFor(scenario: Scenario, names: readonly string[] | undefined): Entrants {
  const all = rivalsOf(scenario)
  const isNamed = ({ name, family }: Rival): boolean =>
    names === undefined || names.includes(name) || names.includes(family ?? name)
  const wanted = all.filter((rival, i) => i === 0 || isNamed(rival))
  const missing = new Map(wanted.map((rival) => [rival, missingOnce(rival) ?? whyAlone(rival)]))
  return {
    here: wanted.filter((rival) => missing.get(rival) === undefined),
    absent: wanted.flatMap((rival) => {
      const why = missing.get(rival)
      return why === undefined ? [] : [`${rival.name} is left out: ${why}`]
    }),
  }
}

function rivalsOf({ view, observed, secure }: Scenario): readonly Rival[] {
  if (observed === true) return observedRivals
  if (secure === true) return secureRivals
  return view === undefined ? rivals : viewRivals
}

/** What one thread does on one of several cores says nothing of what they all do. */
function whyAlone({ isSingle }: Rival): string | undefined {
  const { serve } = cores()
  return isSingle === true && serve.length > 1
    ? `it is one thread, and cores ${listOf(serve)} serve`
    : undefined
}

const looked = new Map<Rival, string | undefined>()

/** Looking takes a process or two, and each scenario asks. */
function missingOnce(rival: Rival): string | undefined {
  if (!looked.has(rival)) looked.set(rival, rival.missing())
  return looked.get(rival)
}
