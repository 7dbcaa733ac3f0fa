/** What the help of each command says behind its flags: examples, the environment, exit codes. Read by `cli.ts`. */
import { DEFAULT_PORT } from '../was/port.ts'

export const GENERAL_HELP = `
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

Exit code: 0 done, 1 failed, 2 a mistake in flags, configuration or folders, 75 PostgreSQL is away.`

export const SERVE_HELP = `
Examples:
  uwas serve                     the site of ./uwas.config.ts
  uwas serve --config board/uwas.config.ts --port 8090
  uwas serve dist --host 127.0.0.1 --spa

Environment: PORT (before the configuration's port), DATABASE_URL; XDG_CACHE_HOME
(default ~/.cache), below which uwas keeps copies of a served folder's files.

SIGTERM or Ctrl-C stops: replies that have begun are finished first, for at most
10 seconds. A second one stops at once. SIGHUP reloads: new workers take over once they
are ready; where they cannot start, those before them go on. SIGUSR2 upgrades: see "uwas upgrade".`

export const DEV_HELP = `
Templates are compiled and files read again when they change; when code changes, the site's
modules are loaded anew. The page in the browser follows. A mistake is shown there and here,
and the last version that worked goes on serving.

--tls makes an authority, once, and a certificate of it for localhost in $XDG_DATA_HOME/uwas (~/.local/share/uwas).

Environment: PORT (before the configuration's port), DATABASE_URL.`

export const CHECK_HELP = `
Proves the configuration, the URL conf, the templates and what they name (partials, routes, static
files, data of their views), the folders of files, the migrations, and every declared table and
statement against the site's database.

Environment: DATABASE_URL.`

export const BUILD_HELP = `
Writes build/templates.mjs beside the configuration. "uwas serve" uses it while it is of the templates
that are there, and compiles them itself otherwise. A process under Node's
--disallow-code-generation-from-strings needs it.`

export const COLLECT_HELP = `
Writes each file by its own name and by the fingerprinted one that pages use, with .br, .gz and .zst
beside it where that is smaller, and manifest.json: the URL of each path. What is there already and has
no file any more stays, since pages of before may name it.`

export const EXPLAIN_HELP = `
Tells which lane reads the request, by the judgement of the server's own gate, follows it through
redirects, rewrites, files and the URL conf without running any view, and says why it is a 404 or 405,
with what was probably meant.

Examples:
  uwas explain /posts/7
  uwas explain -X POST '/posts?draft=1' --body 2000000
  uwas explain /posts/7 --http-version 1.0 -H 'Connection: keep-alive'
  uwas explain GET /app.css -H 'Accept-Encoding: br' -H 'If-None-Match: "…"'`

export const SHELL_HELP = `
Names: config, db, statements, tables, sql, atomic, render, url. "await" stands anywhere; the value of a
single expression is printed. Lines are remembered in the site's stateDir.

Examples:
  uwas shell
  uwas shell --code 'sql\`select count(*) from notes\`'
  uwas shell --code 'statements["all notes"].all(db)'
  uwas shell < repair.js

Environment: DATABASE_URL.
Exit code: 1 when the code throws.`

export const CREATE_USER_HELP = `
The password is asked for on a terminal, without echo; else it is the first line of standard input.

Examples:
  uwas createuser mara --group editors
  pass show board/mara | uwas createuser mara

Environment: DATABASE_URL.`

export const SET_PASSWORD_HELP = `
The password is asked for on a terminal, without echo; else it is the first line of standard input. All
sessions of the user end.

Examples:
  uwas setpassword mara
  pass show board/mara | uwas setpassword mara

Environment: DATABASE_URL.`

export const MIGRATE_HELP = `
Each file is one transaction. A statement that PostgreSQL runs in none (CREATE INDEX CONCURRENTLY) is the
only one of its file.

"uwas serve" and "uwas dev" apply migrations at start by themselves; this is for a step of its own.

Environment: DATABASE_URL.`

export const MIGRATION_HELP = `
Compares every declared table with the database, which has to be migrated, and writes NNNN_name.sql with
its .down.sql. Renames are not guessed: a comment says how to write one. Read the draft before it runs.

Environment: DATABASE_URL.`

export const BENCH_HELP = `
"uwas bench doctor" tells what each setting is, what it should be and why, and what to write where. The
measurements beside other servers are scripts of the repository: bench/README.md.`

export const UPGRADE_HELP = `
Starts the uwas that is installed now, by the same command line and with the listening sockets of the
running server. When its workers are ready it takes over, and the one before finishes what has begun;
where it cannot, that one goes on. No connection is refused meanwhile. SIGUSR2 asks for the same.

Exit code: 1 with the reason where what served before goes on.`
