/**
 * The command line: its commands, flags and help. Gets `argv`, runs one command, leaves the exit code:
 * 0 done, 1 failed, 2 a mistake in what the user gave. Called by `main.ts`.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_PORT, readPort } from '../was/port.ts'
import { MOST_WORKERS } from '../was/worker-limits.ts'
import { reportFailure } from './failure.ts'
import {
  BENCH_HELP,
  BUILD_HELP,
  CHECK_HELP,
  COLLECT_HELP,
  CREATE_USER_HELP,
  DEV_HELP,
  EXPLAIN_HELP,
  GENERAL_HELP,
  MIGRATE_HELP,
  MIGRATION_HELP,
  SERVE_HELP,
  SET_PASSWORD_HELP,
  SHELL_HELP,
  UPGRADE_HELP,
} from './help.ts'
import { createCommandLog, LOG_LEVELS } from './log.ts'
import { readVersion } from './version.ts'

/** Resolves when the command is done; for a server that is when it has stopped. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const log = createCommandLog()
  const isVerbose = argv.includes('--verbose') || /\buwas\b|\*/.test(process.env['DEBUG'] ?? '')
  try {
    let exitCode = 0
    const program = createProgram((code) => {
      exitCode = code
    })
    await program.parseAsync(argv)
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return reportFailure(error, log, isVerbose)
  }
}

type Run<A extends unknown[]> = (...args: A) => Promise<number>
type Then = <A extends unknown[]>(load: () => Promise<Run<A>>) => (...args: A) => Promise<void>

function createProgram(onExitCode: (code: number) => void): Command {
  const program = new Command('uwas')
  // Each is loaded when it is run: the others cost no start.
  const then: Then =
    (load) =>
    async (...args) =>
      onExitCode(await (await load())(...args))
  program
    .description('A web server and a web application server in one process.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(try "uwas --help" for the commands and their flags)')
    .addHelpText('after', GENERAL_HELP)
  addServe(program).action(then(async () => (await import('./serve.ts')).serveCommand))
  addRunningCommands(program, then)
  addDev(program).action(then(async () => (await import('./dev.ts')).devCommand))
  addNew(program).action(then(async () => (await import('./new.ts')).newCommand))
  site(program, 'check', 'prove a site before it starts: exit code 1 and every problem, or 0')
    .addHelpText('after', CHECK_HELP)
    .action(then(async () => (await import('./check.ts')).checkCommand))
  site(program, 'build', 'write the compiled templates, so that a server makes no code at start')
    .addHelpText('after', BUILD_HELP)
    .action(then(async () => (await import('./build.ts')).buildCommand))
  addCollect(program).action(then(async () => (await import('./collect.ts')).collectCommand))
  site(program, 'routes', 'list the URL conf of a site in the order in which it matches')
    .option('--json', 'print JSON, for programs', false)
    .action(then(async () => (await import('./routes.ts')).routesCommand))
  site(program, 'config', 'print the whole configuration, with its defaults and without secrets')
    .option('--json', 'print JSON, for programs', false)
    .action(then(async () => (await import('./config.ts')).configCommand))
  addExplain(program).action(then(async () => (await import('./explain.ts')).explainCommand))
  site(program, 'shell', 'run JavaScript with the site at hand: its database, templates, URLs')
    .option('--code <code>', 'run this; else standard input, or lines from the terminal')
    .addHelpText('after', SHELL_HELP)
    .action(then(async () => (await import('./shell.ts')).shellCommand))
  site(program, 'migrate', "apply a site's SQL migrations that are not applied yet")
    .option('--status', 'only list what is applied and what is not', false)
    .addOption(downOption('--down [count]'))
    .addOption(downOption('--revert [count]').hideHelp())
    .addOption(toOption())
    .addOption(
      new Option('--dry-run', 'print the SQL that would be run, and run nothing')
        .default(false)
        .conflicts('status'),
    )
    .addOption(lockTimeoutOption())
    .addHelpText('after', MIGRATE_HELP)
    .action(then(async () => (await import('./migrate.ts')).migrateCommand))
  addMigration(program).action(then(async () => (await import('./migration.ts')).migrationCommand))
  addUserCommands(program, then)
  addBench(program).action(then(async () => (await import('./doctor/doctor.ts')).doctorCommand))
  return program
}

function addServe(program: Command): Command {
  return site(program, 'serve', 'serve a site, or the files of a folder')
    .argument('[dir]', 'folder of files to serve as it is: no configuration, no database')
    .addOption(portOption())
    .addOption(hostOption('all addresses'))
    .addOption(workersOption())
    .option('--pid-file <file>', 'file for the pid (default: uwas.pid in the folder of the state)')
    .option('--user <name>', 'user that workers run as; only root can say so')
    .option('--log-file <file>', "file for the server's own words (default: standard error)")
    .addOption(new Option('--log-level <level>', 'the least that is told').choices(LOG_LEVELS))
    .option('--spa [file]', 'answer pages that do not exist with this one (default: index.html)')
    .option('--listing', 'list folders that have no index.html')
    .option('--clean-urls', 'answer /a with a.html, and redirect /a.html there')
    .addHelpText('after', SERVE_HELP)
}

function addRunningCommands(program: Command, then: Then): void {
  addRunning(program, 'stop', 'stop a server, once what has begun is finished').action(
    then(async () => (await import('./running.ts')).stopCommand),
  )
  addRunning(program, 'reload', 'have new workers serve what is on the disk now').action(
    then(async () => (await import('./running.ts')).reloadCommand),
  )
  addRunning(program, 'upgrade', 'have the uwas that is installed now take over from a server')
    .addHelpText('after', UPGRADE_HELP)
    .action(then(async () => (await import('./running.ts')).upgradeCommand))
  addRunning(program, 'status', 'tell how a server and its workers are')
    .option('--json', 'print JSON, for programs', false)
    .action(then(async () => (await import('./running.ts')).statusCommand))
}

/** A command that asks a running server. */
function addRunning(program: Command, name: string, summary: string): Command {
  return site(program, name, summary)
    .argument('[dir]', 'folder that it serves, where that is no site')
    .option('--pid-file <file>', 'file that tells its pid (default: where "uwas serve" puts it)')
}

function addDev(program: Command): Command {
  return site(
    program,
    'dev',
    'serve a site for its developer: changes of code, templates and files show at once',
  )
    .addOption(portOption())
    .addOption(hostOption('127.0.0.1'))
    .addOption(
      new Option(
        '--tls [port]',
        'serve by TLS, too, with a certificate for this machine of an authority of your own',
      ).argParser(portOf),
    )
    .addHelpText('after', DEV_HELP)
}

function addNew(program: Command): Command {
  return program
    .command('new')
    .description('Start a new site, which runs at once.')
    .summary('start a new site, which runs at once')
    .argument('<dir>', 'folder to write it to; new, or empty')
    .option('--verbose', 'show the stack of an error', false)
}

function addCollect(program: Command): Command {
  return site(program, 'collect', 'write the static files of a site, for a CDN or another server')
    .argument('<dir>', 'folder to write them to')
    .addHelpText('after', COLLECT_HELP)
}

function addExplain(program: Command): Command {
  return site(program, 'explain', 'tell which rule of a site answers a request, and with what')
    .argument('<method>', 'GET, POST, …; may be left out for GET')
    .argument('[url]', 'path and query, or a whole URL')
    .option(
      '-H, --header <field>',
      'a field of the request, "Name: value"; as often as wanted',
      (field: string, before: readonly string[]) => [...before, field],
      [],
    )
    .option('-X, --request <method>', 'the method, as curl has it')
    .addOption(
      new Option('--http-version <version>', 'what the request says it is')
        .choices(['1.0', '1.1'])
        .default('1.1'),
    )
    .addOption(bodyOption())
    .option('--json', 'print JSON, for programs', false)
    .addHelpText('after', EXPLAIN_HELP)
}

function addCreateUser(program: Command): Command {
  return site(program, 'createuser', 'make a user of a site, whose password is asked for')
    .argument('<name>', 'what the user logs in by')
    .option(
      '--group <group>',
      'a group of accounts.groups to be in; as often as wanted',
      (group: string, before: readonly string[]) => [...before, group],
      [],
    )
    .addHelpText('after', CREATE_USER_HELP)
}

function addUserCommands(program: Command, then: Then): void {
  addCreateUser(program).action(
    then(async () => (await import('./createuser.ts')).createUserCommand),
  )
  site(program, 'setpassword', 'give a user another password, which is asked for')
    .argument('<name>', 'what the user logs in by')
    .addHelpText('after', SET_PASSWORD_HELP)
    .action(then(async () => (await import('./setpassword.ts')).setPasswordCommand))
  program
    .command('hashpassword')
    .description('Print the hash of a password, for basicAuth in a configuration.')
    .summary('print the hash of a password, for basicAuth in a configuration')
    .option('--verbose', 'show the stack of an error', false)
    .action(then(async () => (await import('./hashpassword.ts')).hashPasswordCommand))
}

/** Gives its one subcommand. */
function addBench(program: Command): Command {
  const summary = 'what decides the speed of a server on this machine'
  return program
    .command('bench')
    .description(`Tell ${summary}.`)
    .summary(`tell ${summary}`)
    .addHelpText('after', BENCH_HELP)
    .command('doctor')
    .description('Look at cores, caches, cards, the kernel and its settings, and change nothing.')
    .summary('look at cores, caches, cards, the kernel and its settings, and change nothing')
    .option('--json', 'print JSON, for programs', false)
    .option('--verbose', 'show the stack of an error', false)
}

/** A command that works on a site. */
function site(program: Command, name: string, summary: string): Command {
  return program
    .command(name)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .summary(summary)
    .option(
      '-c, --config <file>',
      'configuration file (default: uwas.config.ts, .mts, .js or .mjs here)',
    )
    .option('--verbose', 'show the stack of an error', false)
}

function portOption(): Option {
  return new Option(
    '-p, --port <number>',
    `port to listen on, 0 for any free one (default: PORT, the configuration, ${DEFAULT_PORT})`,
  ).argParser(portOf)
}

function portOf(text: string): number {
  const port = readPort(text)
  if (typeof port !== 'number') throw new InvalidArgumentError('It is no number from 0 to 65535.')
  return port
}

function hostOption(otherwise: string): Option {
  return new Option(
    '--host <address>',
    `address to listen on (default: the configuration, ${otherwise})`,
  )
}

function workersOption(): Option {
  return new Option(
    '-w, --workers <n>',
    'processes that serve; auto: one a core, 0: this one alone (default: the configuration, 1)',
  ).argParser((text) => {
    if (text === 'auto') return text
    if (/^\d{1,4}$/.test(text) && Number(text) <= MOST_WORKERS) return Number(text)
    throw new InvalidArgumentError(`It is neither "auto" nor a number from 0 to ${MOST_WORKERS}.`)
  })
}

function addMigration(program: Command): Command {
  return site(program, 'migration', 'draft a migration from the declared tables and the database')
    .argument('<name>', 'what it does: add_authors')
    .addOption(
      new Option('--empty', 'only start the file, without a look at the database')
        .default(false)
        .conflicts(['squash', 'to']),
    )
    .option('--squash', 'make one of all migrations; databases that have them adopt it', false)
    .addOption(
      new Option('--to <name>', 'the last migration to squash (default: all)').implies({
        squash: true,
      }),
    )
    .option('--dry-run', 'print the SQL, and write nothing', false)
    .addHelpText('after', MIGRATION_HELP)
}

function bodyOption(): Option {
  return new Option('--body <bytes>', 'the size of its body').argParser((text) => {
    if (/^\d{1,15}$/.test(text)) return Number(text)
    throw new InvalidArgumentError('It is no number of bytes.')
  })
}

function downOption(flags: string): Option {
  return new Option(flags, 'revert the last migrations by their .down.sql files')
    .preset('1')
    .conflicts(['status', 'to'])
    .argParser((text) => {
      const count = Number(text)
      if (Number.isInteger(count) && count > 0) return count
      throw new InvalidArgumentError('It is no whole number above 0.')
    })
}

function toOption(): Option {
  return new Option(
    '--to <name>',
    'apply or revert until this one, a name or number, is the last; 0: none',
  ).conflicts('status')
}

function lockTimeoutOption(): Option {
  return new Option(
    '--lock-timeout <seconds>',
    'how long a statement may wait for the lock of a table (default: 30)',
  )
    .conflicts(['status', 'dryRun'])
    .argParser((text) => {
      const seconds = Number(text)
      if (seconds >= 0.001 && seconds <= 86_400) return seconds
      throw new InvalidArgumentError('It is no number of seconds.')
    })
}
