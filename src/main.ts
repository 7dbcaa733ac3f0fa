#!/usr/bin/env node
/** The binary: the command line in, an exit code out. Everything else is in `commands/`. */
import { runCommandLine } from './commands/cli.ts'

// Who reads the output may go away (`uwas serve 2>&1 | head -1`): that is no reason to stop serving.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {})

process.exitCode = await runCommandLine(process.argv)
