/**
 * Loaded into the profiled process before its own code (`node --import`): measures from inside when `probe.ts` asks, over
 * the unix socket named in UWAS_BENCH_PROBE. One JSON object a line in, one out. Idle it costs nothing.
 */
import { createHook } from 'node:async_hooks'
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { createServer } from 'node:net'
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const VITALS_MS = 100
const NS_PER_MS = 1e6
/** Longer chains of resources are cut: nobody reads them. */
const STACK_FRAMES = 30

const session = new Session()
let vitals
let asyncs

const commands = {
  'cpu-start': async ({ intervalMicros }) => {
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: intervalMicros })
    await session.post('Profiler.start')
  },
  'cpu-stop': async ({ file }) => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    writeFileSync(file, JSON.stringify(profile))
  },
  // With all that was freed since: who makes garbage is the question, not who keeps it.
  'heap-start': async ({ intervalBytes }) => {
    session.connect()
    await session.post('HeapProfiler.enable')
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: intervalBytes,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
  },
  'heap-stop': async ({ file }) => {
    const { profile } = await session.post('HeapProfiler.stopSampling')
    session.disconnect()
    writeFileSync(file, JSON.stringify(profile))
  },
  'vitals-start': () => {
    vitals = startVitals()
  },
  'vitals-stop': () => vitals.stop(),
  'async-start': () => {
    asyncs = startAsyncs()
  },
  'async-stop': () => asyncs.stop(),
  'heap-used': () => {
    setFlagsFromString('--expose-gc')
    runInNewContext('gc')()
    return process.memoryUsage().heapUsed
  },
  'heap-now': () => process.memoryUsage().heapUsed,
}

function startVitals() {
  const samples = []
  const garbage = { times: 0, ms: 0, longestMs: 0 }
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      garbage.times++
      garbage.ms += duration
      garbage.longestMs = Math.max(garbage.longestMs, duration)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const began = performance.now()
  let loop = performance.eventLoopUtilization()
  let cpu = process.cpuUsage()
  let at = began
  const timer = setInterval(() => {
    const now = performance.now()
    const loopNow = performance.eventLoopUtilization()
    const spent = process.cpuUsage(cpu)
    samples.push({
      atMs: now - began,
      cpu: (spent.user + spent.system) / 1000 / (now - at),
      loop: performance.eventLoopUtilization(loopNow, loop).utilization,
      delayMs: delay.max / NS_PER_MS,
      heapMib: process.memoryUsage().heapUsed / 2 ** 20,
      handles: process.getActiveResourcesInfo().length,
    })
    delay.reset()
    loop = loopNow
    cpu = process.cpuUsage()
    at = now
  }, VITALS_MS)
  return {
    stop() {
      clearInterval(timer)
      delay.disable()
      observer.disconnect()
      return { ms: performance.now() - began, samples, garbage }
    },
  }
}

/** Asynchronous resources by kind and by where they were made: how many, and how long until they ran first. */
function startAsyncs() {
  const groups = new Map()
  const waiting = new Map()
  const hook = createHook({
    init(id, type) {
      const limit = Error.stackTraceLimit
      Error.stackTraceLimit = STACK_FRAMES
      const { stack } = new Error()
      Error.stackTraceLimit = limit
      const key = `${type}\n${placeIn(stack)}`
      const group = groups.get(key) ?? { times: 0, ran: 0, waitedMs: 0, longestMs: 0 }
      groups.set(key, group)
      group.times++
      waiting.set(id, { group, at: performance.now() })
    },
    before: ran,
    promiseResolve: ran,
    destroy: (id) => waiting.delete(id),
  })
  function ran(id) {
    const one = waiting.get(id)
    if (one === undefined) return
    waiting.delete(id)
    const ms = performance.now() - one.at
    one.group.ran++
    one.group.waitedMs += ms
    one.group.longestMs = Math.max(one.group.longestMs, ms)
  }
  hook.enable()
  return {
    stop() {
      hook.disable()
      return [...groups].map(([key, group]) => {
        const [type, place] = key.split('\n')
        return { type, place, ...group }
      })
    },
  }
}

/** The nearest frame that is not Node's own, as `name url:line:column`. */
function placeIn(stack) {
  const lines = stack.split('\n').slice(2)
  const frame = lines.find((line) => /file:|\/|uwas:/.test(line) && !/\(?node:/.test(line)) ?? ''
  const [, name = '', url = ''] = /^\s*at (?:(?:async )?(.*?) \()?(.*?)\)?$/.exec(frame) ?? []
  return `${name} ${url}`
}

async function answer(line, socket) {
  try {
    const { command, ...options } = JSON.parse(line)
    const value = await commands[command](options)
    socket.write(`${JSON.stringify({ value })}\n`)
  } catch (error) {
    socket.write(`${JSON.stringify({ error: String(error) })}\n`)
  }
}

const server = createServer((socket) => {
  let text = ''
  socket.unref()
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', (part) => {
    text += part
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      void answer(text.slice(0, end), socket)
      text = text.slice(end + 1)
    }
  })
})
// A process that the server starts gets the variable too; the socket is the first one's.
server.on('error', () => {})
server.listen(process.env['UWAS_BENCH_PROBE'])
server.unref()
