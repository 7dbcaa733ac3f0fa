/** What a process takes: processor, memory, and how long its event loop keeps work waiting. Made by `app.ts`. */
import { PerformanceObserver, performance } from 'node:perf_hooks'
import { watchLoopDelay } from '../loop-delay.ts'
import type { Registry } from './registry.ts'

const DELAY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Measures until what it returns is called. */
export function measureProcess(registry: Registry): () => void {
  const stopLoop = measureLoop(registry)
  const stopCollector = measureGarbage(registry)
  const cpu = registry.counter('uwas_process_cpu_seconds_total', {
    help: 'Processor time that workers have taken.',
    labels: ['mode'],
  })
  const memory = registry.gauge('uwas_process_memory_bytes', {
    help: 'Memory of each worker: resident, heap in use and reserved, and outside of the heap.',
    labels: ['kind'],
    merge: 'worker',
  })
  const started = registry.gauge('uwas_process_start_time_seconds', {
    help: 'When each worker began, in seconds since 1970.',
    merge: 'worker',
  })
  started.at().set(Math.round(performance.timeOrigin) / 1000)
  const stop = registry.onCollect(() => {
    const { user, system } = process.cpuUsage()
    cpu.at('user').set(user / 1e6)
    cpu.at('system').set(system / 1e6)
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
    memory.at('resident').set(rss)
    memory.at('heap_used').set(heapUsed)
    memory.at('heap_total').set(heapTotal)
    memory.at('external').set(external)
  })
  return () => {
    stop()
    stopLoop()
    stopCollector()
  }
}

function measureLoop(registry: Registry): () => void {
  const delay = registry
    .histogram('uwas_event_loop_delay_seconds', {
      help: 'How late a timer fires: how long the event loop keeps anything waiting.',
      bounds: DELAY_BOUNDS,
    })
    .at()
  const seconds = registry.counter('uwas_event_loop_seconds_total', {
    help: 'Time that event loops have worked, and have waited for something to do.',
    labels: ['state'],
  })
  const stopWatching = watchLoopDelay((lateMs) => delay.observe(lateMs / 1000))
  const stop = registry.onCollect(() => {
    const { active, idle } = performance.eventLoopUtilization()
    seconds.at('active').set(active / 1000)
    seconds.at('idle').set(idle / 1000)
  })
  return () => {
    stopWatching()
    stop()
  }
}

/** Kinds of collections, by the numbers of `perf_hooks.constants`. */
const KINDS: Readonly<Record<number, string>> = {
  1: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weak callbacks',
}

function measureGarbage(registry: Registry): () => void {
  const pauses = registry.counter('uwas_gc_pause_seconds_total', {
    help: 'Time that workers have stood still for the garbage collector.',
    labels: ['kind'],
  })
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as { detail?: { kind?: number } }).detail ?? {}
      pauses.at(KINDS[kind ?? 0] ?? 'other').add(entry.duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}
