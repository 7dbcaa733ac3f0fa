/** `npm run bench -- [COMMAND] …`: see README.md here. Without a command it measures. */
import { compareCommand } from './commands/compare.ts'
import { latencyCommand } from './commands/latency.ts'
import { memoryCommand } from './commands/memory.ts'
import { reportCommand, runCommand } from './commands/run.ts'
import { soakCommand } from './commands/soak.ts'
import { startupCommand } from './commands/startup.ts'
import { takeCores } from './method/cores.ts'

const COMMANDS: Readonly<Record<string, (args: string[]) => number | Promise<number>>> = {
  run: runCommand,
  report: reportCommand,
  compare: compareCommand,
  latency: latencyCommand,
  memory: memoryCommand,
  startup: startupCommand,
  soak: soakCommand,
}

async function main(args: string[]): Promise<number> {
  const [name = 'run'] = args
  if (name.startsWith('-')) return await runCommand(args)
  const command = COMMANDS[name]
  if (command !== undefined) return await command(args.slice(1))
  throw new Error(`there is no command ${name}; there are ${Object.keys(COMMANDS).join(', ')}`)
}

try {
  process.exitCode = await main(takeCores(process.argv.slice(2)))
} catch (error) {
  console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 2
}
