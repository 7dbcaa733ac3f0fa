/**
 * Loads a site's modules, TypeScript as it stands. Gets a file, leaves its exports; each load evaluates
 * the file and everything of the site that it imports anew. Called for the configuration, and again by
 * `dev` after a change.
 */
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { HookData } from './site-hooks.ts'
import { LOAD_PARAMETER } from './site-url.ts'
import { type Doubt, withPlace } from './syntax-place.ts'

let loads = 0
let hooks: Promise<MessagePort> | undefined

/**
 * The exports of `file`. `import … from 'uwas'` in it means this copy of uwas, whatever is or is not
 * in the site's `node_modules`. What is loaded stays in memory: a reload costs what the site's modules
 * take. Rejects with what the modules throw; a syntax error names file, line and column.
 */
export async function loadSiteModule(file: string): Promise<Record<string, unknown>> {
  hooks ??= registerHooks()
  const doubts = await hooks
  loads += 1
  const url = pathToFileURL(file)
  url.searchParams.set(LOAD_PARAMETER, String(loads))
  try {
    return (await import(url.href)) as Record<string, unknown>
  } catch (error) {
    throw withPlace(error, takeDoubts(doubts))
  }
}

/** What the hooks have found since the last call. */
function takeDoubts(port: MessagePort): Doubt[] {
  const taken: Doubt[] = []
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: Doubt } | undefined
    if (received === undefined) return taken
    taken.push(received.message)
  }
}

async function registerHooks(): Promise<MessagePort> {
  const { port1, port2 } = new MessageChannel()
  const uwas = new URL('../index.js', import.meta.url).href
  // First, since what is loaded later passes through the hooks' thread, module by module.
  await import(uwas)
  const data: HookData = { uwas, doubts: port2 }
  register('./site-hooks.js', { parentURL: import.meta.url, data, transferList: [port2] })
  return port1
}
