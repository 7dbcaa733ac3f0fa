/**
 * The command line: its commands, flags and help. Gets `argv`, runs one command, leaves the exit code:
 * 0 done, 1 failed, 2 a mistake in what the user gave. Called by `main.ts`.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_PORT, readPort } from '../was/port.ts'
import { MOST_WORKERS } from '../was/worker-limits.ts'
import { reportFailure } from './failure.ts'
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
  addRunning(program, 'stop', 'stop a server, once what has begun is finished').action(
    then(async () => (await import('./running.ts')).stopCommand),
  )
  addRunning(program, 'reload', 'have new workers serve what is on the disk now').action(
    then(async () => (await import('./running.ts')).reloadCommand),
  )
  addRunning(program, 'status', 'tell how a server and its workers are')
    .option('--json', 'print JSON, for programs', false)
    .action(then(async () => (await import('./running.ts')).statusCommand))
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
  program
    .command('hashpassword')
    .description('Print the hash of a password, for basicAuth in a configuration.')
    .summary('print the hash of a password, for basicAuth in a configuration')
    .option('--verbose', 'show the stack of an error', false)
    .action(then(async () => (await import('./hashpassword.ts')).hashPasswordCommand))
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

const GENERAL_HELP = `
Examples:
  uwas new notebook              start a site
  uwas serve public              serve a folder on http://localhost:${DEFAULT_PORT}
  uwas serve                     serve the site of ./uwas.config.ts
  uwas dev --port 3000           the same with live reload, for its developer
  uwas check                     prove it, for example before a deployment

Environment:
  PORT                           port to listen on, before the configuration's
  DATABASE_URL                   postgres://… of the site's database
  DEBUG=uwas                     the same as --verbose

Exit code: 0 done, 1 failed, 2 a mistake in flags, configuration or folders.`

const SERVE_HELP = `
Examples:
  uwas serve                     the site of ./uwas.config.ts
  uwas serve --config board/uwas.config.ts --port 8090
  uwas serve dist --host 127.0.0.1 --spa

Environment: PORT (before the configuration's port), DATABASE_URL; XDG_CACHE_HOME
(default ~/.cache), below which uwas keeps copies of a served folder's files.

SIGTERM or Ctrl-C stops: replies that have begun are finished first, for at most
10 seconds. A second one stops at once. SIGHUP reloads: new workers take over once they
are ready; where they cannot start, those before them go on.`

const DEV_HELP = `
Templates are compiled and files read again when they change; when code changes, the site's
modules are loaded anew. The page in the browser follows. A mistake is shown there and here,
and the last version that worked goes on serving.

--tls makes an authority, once, and a certificate of it for localhost in $XDG_DATA_HOME/uwas (~/.local/share/uwas).

Environment: PORT (before the configuration's port), DATABASE_URL.`

const CHECK_HELP = `
Proves the configuration, the URL conf, the templates and what they name (partials, routes, static
files, data of their views), the folders of files, the migrations, and every declared table and
statement against the site's database.

Environment: DATABASE_URL.`

const BUILD_HELP = `
Writes build/templates.mjs beside the configuration. "uwas serve" uses it while it is of the templates
that are there, and compiles them itself otherwise. A process under Node's
--disallow-code-generation-from-strings needs it.`

const COLLECT_HELP = `
Writes each file by its own name and by the fingerprinted one that pages use, with .br, .gz and .zst
beside it where that is smaller, and manifest.json: the URL of each path. What is there already and has
no file any more stays, since pages of before may name it.`

const EXPLAIN_HELP = `
Tells which lane reads the request, by the judgement of the server's own gate, follows it through
redirects, rewrites, files and the URL conf without running any view, and says why it is a 404 or 405,
with what was probably meant.

Examples:
  uwas explain /posts/7
  uwas explain -X POST '/posts?draft=1' --body 2000000
  uwas explain /posts/7 --http-version 1.0 -H 'Connection: keep-alive'
  uwas explain GET /app.css -H 'Accept-Encoding: br' -H 'If-None-Match: "…"'`

const SHELL_HELP = `
Names: config, db, statements, tables, sql, atomic, render, url. "await" stands anywhere; the value of a
single expression is printed. Lines are remembered in the site's stateDir.

Examples:
  uwas shell
  uwas shell --code 'sql\`select count(*) from notes\`'
  uwas shell --code 'statements["all notes"].all(db)'
  uwas shell < repair.js

Environment: DATABASE_URL.
Exit code: 1 when the code throws.`

const CREATE_USER_HELP = `
The password is asked for on a terminal, without echo; else it is the first line of standard input.

Examples:
  uwas createuser mara --group editors
  pass show board/mara | uwas createuser mara

Environment: DATABASE_URL.`

const MIGRATE_HELP = `
Each file is one transaction. A statement that PostgreSQL runs in none (CREATE INDEX CONCURRENTLY) is the
only one of its file.

"uwas serve" and "uwas dev" apply migrations at start by themselves; this is for a step of its own.

Environment: DATABASE_URL.`

const MIGRATION_HELP = `
Compares every declared table with the database, which has to be migrated, and writes NNNN_name.sql with
its .down.sql. Renames are not guessed: a comment says how to write one. Read the draft before it runs.

Environment: DATABASE_URL.`
