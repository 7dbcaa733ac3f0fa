/** The line that says that a site is served, and where. Called by the commands that serve. */
import { count } from './count.ts'
import { addressUrl, type ServedAddress } from './server-url.ts'

export interface ServingFacts {
  /** What is served, as people know it. */
  readonly name: string
  /** Whether it has a configuration; else it is a folder. */
  readonly isSite: boolean
  readonly counts: { readonly files: number; readonly routes: number; readonly templates: number }
  readonly addresses: readonly ServedAddress[]
  readonly workers: number
}

export function servingLine(facts: ServingFacts): string {
  const { name, isSite, counts, addresses, workers } = facts
  const parts = [count(counts.files, 'file')]
  if (isSite) parts.push(count(counts.routes, 'route'), count(counts.templates, 'template'))
  if (workers > 1) parts.push(count(workers, 'worker'))
  return `serving ${name} (${parts.join(', ')}) on ${addresses.map(addressUrl).join(' and ')}`
}
