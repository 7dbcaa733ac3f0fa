/** What a soak needs beside TechEmpower's views: a form, streams, and a view that never comes back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { events, type Reply, type Request, type SocketHandlers, text } from 'uwas'

const TICK_MS = 1000

export async function form(req: Request): Promise<Reply> {
  const sent = await req.form()
  return text(`${sent.get('name')}: ${sent.get('message')}`)
}

export function ticks(req: Request): Reply {
  return events(req, everySecond())
}

async function* everySecond() {
  for (let i = 0; ; i++) {
    yield { data: { i } }
    await sleep(TICK_MS)
  }
}

/** Its worker answers nobody any more. */
export function loopForEver(): Reply {
  for (;;);
}

export const echo: SocketHandlers = {
  message: (one, message) => void one.send(message),
}
