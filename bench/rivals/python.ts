/**
 * Django in gunicorn and in uWSGI, each by itself and behind nginx as people run it, and gunicorn without Django; all of
 * Debian's packages. One worker a core, of four threads, which on one core was the quickest of the settings that keep their connections.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answersBehind, frontConfiguration, missingNginx, startFront } from './nginx-front.ts'
import { type Rival, type RivalContext, startPinned, stopChild, withChildren } from './rival.ts'

/** Debian's interpreter, whichever comes first on the PATH. */
const PYTHON = '/usr/bin/python3'
const SITES = fileURLToPath(new URL('views/python/', import.meta.url))

interface WsgiServer {
  readonly name: string
  /** Debian's packages, Django's aside. */
  readonly packages: string
  isHere(): boolean
  version(): string
  /** `place`: `127.0.0.1:PORT`, where it speaks HTTP. */
  alone(place: string, context: RivalContext): readonly string[]
  behind(socket: string, context: RivalContext): readonly string[]
  /** nginx's lines for it. */
  readonly directives: string
  /** Fields that it does not send by itself, where it speaks HTTP. */
  readonly cannotSet?: readonly string[]
}

const gunicorn: WsgiServer = {
  name: 'gunicorn',
  packages: 'gunicorn',
  isHere: () => imports('gunicorn'),
  version: () => `gunicorn ${versionOf('gunicorn')}`,
  alone: gunicornAt,
  behind: (socket, context) => gunicornAt(`unix:${socket}`, context),
  directives: `
proxy_pass http://site;
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $host;`,
}

function gunicornAt(bind: string, { scratch, cores }: RivalContext, site = 'bench_site'): string[] {
  const workers = `--workers ${cores.length} --worker-class gthread --threads 4`
  const settings = `${workers} --keep-alive 120`.split(' ')
  const place = [`${site}:application`, '--chdir', SITES, '--bind', bind]
  return [PYTHON, '-m', 'gunicorn', ...place, ...settings, '--worker-tmp-dir', scratch]
}

const uwsgi: WsgiServer = {
  name: 'uWSGI',
  packages: 'uwsgi-core uwsgi-plugin-python3',
  isHere: () => spawnSync('uwsgi', ['--plugins', 'http,python3', '--version']).status === 0,
  version: () => `uWSGI ${spawnSync('uwsgi', ['--version'], { encoding: 'utf8' }).stdout.trim()}`,
  // Its own socket would give a thread to each connection that is kept alive; its router keeps them beside the workers.
  alone: (place, context) => uwsgiWith(context, '--http', place, '--http-keepalive'),
  behind: (socket, context) => uwsgiWith(context, '--socket', socket, '--chmod-socket=666'),
  directives: 'include /etc/nginx/uwsgi_params;\nuwsgi_pass site;',
  cannotSet: ['date'],
}

function uwsgiWith({ scratch, cores }: RivalContext, ...listening: string[]): string[] {
  const settings = `--master --processes ${cores.length} --threads 4 --need-app --die-on-term --no-orphans --worker-reload-mercy 1 --disable-logging`
  const site = ['--chdir', SITES, '--module', 'bench_site:application']
  const log = ['--logto', join(scratch, 'uwsgi.log')]
  return [
    'uwsgi',
    '--plugins',
    'http,python3',
    ...listening,
    ...site,
    ...settings.split(' '),
    ...log,
  ]
}

export const pythonVariants: readonly Rival[] = [
  ...[gunicorn, uwsgi].flatMap((server) => [alone(server), behindNginx(server)]),
  {
    name: 'gunicorn',
    missing: () =>
      gunicorn.isHere() && imports('psycopg2')
        ? undefined
        : 'gunicorn is not here: apt-get install gunicorn python3-psycopg2',
    version: gunicorn.version,
    start: (context) =>
      startAlone(context, gunicornAt(`127.0.0.1:${context.port}`, context, 'bare_site')),
  },
]

function alone(server: WsgiServer): Rival {
  return {
    name: `${server.name} + Django`,
    family: 'Django',
    cannotSet: server.cannotSet ?? [],
    missing: () => missing(server),
    version: () => version(server),
    start: (context) => startAlone(context, server.alone(`127.0.0.1:${context.port}`, context)),
  }
}

function behindNginx(server: WsgiServer): Rival {
  const passingOf = ({ scratch }: RivalContext) => ({
    socket: join(scratch, 'site.sock'),
    directives: server.directives,
  })
  return {
    name: `nginx + ${server.name} + Django`,
    family: 'Django',
    missing: () => missingNginx() ?? missing(server),
    version: () => version(server),
    async start(context) {
      const passing = passingOf(context)
      const command = server.behind(passing.socket, context)
      const nginx = await startFront(context, passing)
      const site = await startSite(context, command)
      await answersBehind(context.port)
      const stop = async () => {
        await Promise.all([stopChild(nginx), stopChild(site)])
      }
      const pids = [nginx.pid as number, site.pid as number]
      const configuration = frontConfiguration(context, passing)
      return withChildren({ pids, command, configuration, stop })
    },
  }
}

async function startAlone(context: RivalContext, command: readonly string[]) {
  const child = await startSite(context, command)
  return withChildren({ pids: [child.pid as number], command, stop: () => stopChild(child) })
}

function startSite(
  { cores, port, headers, database }: RivalContext,
  command: readonly string[],
): ReturnType<typeof startPinned> {
  return startPinned(cores, port, command, {
    BENCH_DATABASE: JSON.stringify(database),
    BENCH_FIELDS: JSON.stringify(headers),
    PYTHONDONTWRITEBYTECODE: '1',
  })
}

function missing(server: WsgiServer): string | undefined {
  return server.isHere() && imports('django, psycopg2')
    ? undefined
    : `Django in ${server.name} is not here: apt-get install python3-django python3-psycopg2 ${server.packages}`
}

function version(server: WsgiServer): string {
  return `Django ${versionOf('django')}, ${server.version()}`
}

function imports(names: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${names}`]).status === 0
}

function versionOf(name: string): string {
  const script = `import ${name}; print(${name}.__version__)`
  return spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' }).stdout.trim()
}
