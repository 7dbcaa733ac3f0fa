/** Clients that stay: WebSockets that want their echo, and event streams. Both come back when they are closed, as browsers do. */
import { type ClientRequest, request } from 'node:http'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'
import type { Incident } from './ledger.ts'

/** As long as an answer of the load may take. */
const SILENCE_MS = 10_000
const BEAT_MS = 1000
/** Before coming back. */
const PAUSE_MS = 200

export interface Streams {
  /** Messages that came. */
  readonly count: () => number
  stop(): void
}

type Tell = (incident: Incident) => void

/** One that is open, or about to be. */
interface Line {
  from: string
  readonly opened: number
  isOpen: boolean
  heardAt: number
}

/** Opens `count` of each kind. */
export function openStreams(origin: string, count: number, tell: Tell): Streams {
  let messages = 0
  const heard = (): void => {
    messages++
  }
  const keepers = Array.from({ length: count }, () => [
    keep('socket', tell, (line, gone) => openSocket(origin, line, heard, gone)),
    keep('events', tell, (line, gone) => openEvents(origin, line, heard, gone)),
  ]).flat()
  return {
    count: () => messages,
    stop: () => {
      for (const stop of keepers) stop()
    },
  }
}

/** Opens it, and again whenever it is gone. Returns what ends that. */
function keep(
  client: 'socket' | 'events',
  tell: Tell,
  open: (line: Line, gone: (detail: string) => void) => () => void,
): () => void {
  let isOver = false
  let close = (): void => {}
  let timer: NodeJS.Timeout | undefined
  const start = (): void => {
    const line: Line = { from: '', opened: Date.now(), isOpen: false, heardAt: Date.now() }
    let isGone = false
    const tellOf = (kind: Incident['kind'], detail: string): void => {
      const { from, opened, heardAt } = line
      tell({ client, kind, at: Date.now(), from, opened, sent: heardAt, request: -1, detail })
    }
    const gone = (kind: Incident['kind'] | undefined, detail: string): void => {
      if (isGone || isOver) return
      isGone = true
      clearInterval(watch)
      tellOf(kind ?? (line.isOpen ? 'stream-closed' : 'stream-refused'), detail)
      close()
      timer = setTimeout(start, PAUSE_MS)
    }
    const watch = setInterval(() => {
      if (Date.now() - line.heardAt > SILENCE_MS) gone('stream-silent', 'ten seconds')
    }, BEAT_MS)
    const end = open(line, (detail) => gone(undefined, detail))
    close = () => {
      clearInterval(watch)
      end()
    }
  }
  start()
  return () => {
    isOver = true
    clearTimeout(timer)
    close()
  }
}

function know(line: Line, socket: Socket): void {
  socket.once('connect', () => {
    line.from = `${socket.localAddress}:${socket.localPort}`
  })
}

function openSocket(
  origin: string,
  line: Line,
  heard: () => void,
  gone: (detail: string) => void,
): () => void {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/echo`, {
    createConnection(options: NetConnectOpts) {
      const raw = connect(options)
      know(line, raw)
      return raw
    },
  } as ClientOptions)
  let sent = 0
  let echoed = 0
  const beat = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send(String(++sent))
  }, BEAT_MS)
  socket.on('open', () => {
    line.isOpen = true
  })
  socket.on('message', (data) => {
    line.heardAt = Date.now()
    if (Number(data.toString()) !== ++echoed) return gone(`the echo of ${echoed} is ${data}`)
    heard()
  })
  socket.on('error', (error) => gone(error.message))
  socket.on('close', (code) => gone(String(code)))
  return () => {
    clearInterval(beat)
    socket.terminate()
  }
}

function openEvents(
  origin: string,
  line: Line,
  heard: () => void,
  gone: (detail: string) => void,
): () => void {
  const asking: ClientRequest = request(`${origin}/events`, { agent: false })
  asking.on('socket', (socket) => know(line, socket))
  asking.on('response', (response) => {
    if (response.statusCode !== 200) return gone(String(response.statusCode))
    line.isOpen = true
    response.on('data', () => {
      line.heardAt = Date.now()
      heard()
    })
    response.on('error', (error) => gone(error.message))
    response.on('end', () => gone('ended'))
  })
  asking.on('error', (error) => gone(error.message))
  asking.end()
  return () => asking.destroy()
}
