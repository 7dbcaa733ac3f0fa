/** What is told of the server as a whole. Used where the status listener is. */
import type { Registry } from '../observe/metrics/registry.ts'

export function tellBuild(registry: Registry, version: string): void {
  const info = registry.gauge('uwas_build_info', {
    help: 'Versions of what runs; always 1.',
    labels: ['version', 'node'],
    merge: 'max',
  })
  info.at(version, process.versions.node).set(1)
  const started = registry.gauge('uwas_start_time_seconds', {
    help: 'When the server began, in seconds since 1970.',
  })
  started.at().set(Math.round(performance.timeOrigin) / 1000)
}
