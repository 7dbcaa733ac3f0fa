import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { doctorText } from '../../bench/commands/doctor.ts'
import { advise } from '../../bench/method/advice.ts'
import { processMs } from '../../bench/method/cpu.ts'
import { run } from './sample-run.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

t.test('settings that are too small, too large or another are told from good ones', async (t) => {
  const judged = (name: string, ...values: string[]) =>
    values.map((value) => advise({ [name]: value })[0]?.isGood)
  t.same(judged('net.core.somaxconn', '128', '4096', '65535'), [false, true, true])
  t.same(judged('net.ipv4.ip_local_port_range', '32768 60999', '1024 65535'), [false, true])
  t.same(judged('net.ipv4.tcp_wmem', '4096 16384 1048576', '4096 16384 4194304'), [false, true])
  t.same(judged('net.ipv4.tcp_congestion_control', 'reno', 'cubic', 'bbr'), [false, true, true])
  t.same(judged('vm.swappiness', '60', '10'), [false, true])
  t.same(judged('vm.overcommit_memory', '0', '1', '2'), [true, true, true])
  t.same(advise({ 'net.unknown': '1' }), [], 'and what this kernel does not have is left out')
})

t.test('the doctor says what is, what should be, and what to write where', async (t) => {
  const { machine } = run([])
  const advice = advise({ 'net.core.somaxconn': '128', 'net.ipv4.tcp_syncookies': '1' })
  const card = { name: 'eth0', facts: ['up', '10000 Mbit/s'] }
  const text = doctorText({ ...machine, governor: 'powersave', cores: 1 }, advice, [card])
  t.match(text, 'card eth0    up, 10000 Mbit/s')
  t.match(text, /CHANGE {2}net\.core\.somaxconn +128 +4096 +connections that wait/)
  t.match(text, /ok +net\.ipv4\.tcp_syncookies +1 +1 /)
  t.match(text, 'sysctl --system:\n  net.core.somaxconn = 4096\n')
  t.notMatch(text, 'tcp_syncookies =')
  t.match(text, 'The governor changes the frequency')
  t.match(text, 'One core:')
})

t.test('`npm run bench -- doctor` looks at this machine', async (t) => {
  const command = ['--prefix', 'bench', 'run', '--silent', 'bench', '--', 'doctor']
  const { status, stdout, stderr } = spawnSync('npm', command, { cwd: ROOT, encoding: 'utf8' })
  t.equal(status, 0, stderr)
  t.match(stdout, /^CPU +\d+ cores? of /)
  t.match(stdout, /(ok|CHANGE) +fs\.file-max +\d+/)
  t.match(stdout, /(here|ABSENT) +wrk/)
})

t.test(
  'the time of a process is counted finer than by hundredths of a second',
  { skip: process.platform === 'linux' ? false : 'it is read from /proc' },
  async (t) => {
    const before = processMs([process.pid])
    const began = process.cpuUsage()
    while (process.cpuUsage(began).user < 60_000) Math.sqrt(Math.random())
    const after = processMs([process.pid])
    // The kernel brings the books of what runs up to date at its ticks, every ten milliseconds at the slowest.
    t.ok(after - before >= 40, `${after - before} ms`)
    t.not(after % 10, 0, `${after} ms`)
  },
)
