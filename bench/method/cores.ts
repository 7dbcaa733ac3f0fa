/** Which cores serve, and which make the load: one each, or as many as `--cores` and `--load-cores` say. */
import { readdirSync, readFileSync } from 'node:fs'

/** Numbers of cores, as the kernel counts them. */
export interface Cores {
  readonly serve: readonly number[]
  readonly load: readonly number[]
}

const FOLDER = '/sys/devices/system/cpu'

let chosen: Cores | undefined

/** Those that were chosen; else core 0 serves, and the load is on one that is not the same core by another name. */
export function cores(): Cores {
  chosen ??= usualCores(siblingsOf)
  return chosen
}

/** `args` without `--cores LIST` and `--load-cores LIST` (`0-3,8`), which count from now on. Throws where they do not do. */
export function takeCores(args: readonly string[]): string[] {
  const rest: string[] = []
  const lists = new Map<string, readonly number[]>()
  for (let i = 0; i < args.length; i++) {
    const [, name = '', given] = /^--(cores|load-cores)(?:=(.*))?$/.exec(args[i] as string) ?? []
    if (name === '') rest.push(args[i] as string)
    else lists.set(name, readCores(name, given ?? args[++i] ?? '', known()))
  }
  if (lists.size > 0) chosen = together(lists.get('cores'), lists.get('load-cores'))
  return rest
}

/** `0-3,8`, as taskset takes them and the kernel writes them. */
export function readList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

export function listOf(numbers: readonly number[]): string {
  return numbers.join(',')
}

/** What should be known of the choice before its figures are read. */
export function doubtsOf({ serve, load }: Cores, siblings = siblingsOf): string[] {
  const shared = load.filter((one) => siblings(one).some((other) => serve.includes(other)))
  if (shared.length === 0) return []
  const verb = shared.length === 1 ? 'is a half' : 'are halves'
  return [
    `core ${listOf(shared)} of the load ${verb} of a core that serves (SMT): each slows the other, so the times are too long`,
  ]
}

/** For tests and `cores`. */
export function usualCores(siblings: (core: number) => readonly number[], all = known()): Cores {
  const [first = 0, ...others] = all
  const apart = others.find((one) => !siblings(first).includes(one))
  return { serve: [first], load: [apart ?? others[0] ?? first] }
}

function together(
  serve: readonly number[] | undefined,
  load: readonly number[] | undefined,
): Cores {
  const usual = usualCores(siblingsOf)
  const serving = serve ?? usual.serve
  const free = known().filter((one) => !serving.some((other) => siblingsOf(one).includes(other)))
  const loading = load ?? free.slice(0, serving.length)
  if (loading.length === 0) {
    throw new Error('--cores leaves none for the load: name fewer, or --load-cores as well')
  }
  const both = loading.filter((one) => serving.includes(one))
  if (both.length > 0) throw new Error(`core ${listOf(both)} cannot serve and make the load, too`)
  return { serve: serving, load: loading }
}

/** For tests and `takeCores`. */
export function readCores(name: string, text: string, all: readonly number[]): readonly number[] {
  const wrong = (why: string) => new Error(`--${name} is ${JSON.stringify(text)}: ${why}`)
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(text)) {
    throw wrong('it has to be a list of cores like 0-3,8')
  }
  const numbers = [...new Set(readList(text))]
  const strange = numbers.find((one) => !all.includes(one))
  if (numbers.length === 0) throw wrong('it names none')
  if (strange !== undefined) throw wrong(`there is no core ${strange}; there are ${listOf(all)}`)
  return numbers
}

function known(): number[] {
  try {
    return readList(readFileSync(`${FOLDER}/online`, 'utf8').trim())
  } catch {
    return readdirSync(FOLDER)
      .flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
  }
}

/** The same core by all its names, its own among them. */
function siblingsOf(core: number): readonly number[] {
  try {
    const file = `${FOLDER}/cpu${core}/topology/thread_siblings_list`
    return readList(readFileSync(file, 'utf8').trim())
  } catch {
    return [core]
  }
}
