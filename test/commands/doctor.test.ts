import { readFileSync } from 'node:fs'
import t from 'tap'
import { advise } from '../../src/commands/doctor/advice.ts'
import { doctorText } from '../../src/commands/doctor/doctor.ts'
import { run as sample } from '../bench/sample-run.ts'
import { run } from '../support/binary.ts'

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
  const { machine } = sample([])
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

t.test('uwas bench doctor looks at this machine, for people and for programs', async (t) => {
  const { code, stdout, stderr } = await run(['bench', 'doctor'])
  t.equal(code, 0, stderr)
  t.match(stdout, /^CPU +\d+ cores? of /)
  t.match(stdout, /(ok|CHANGE) +fs\.file-max +\d+/)
  t.match(stdout, /(here|absent) +wrk/)
  const told = JSON.parse((await run(['bench', 'doctor', '--json'])).stdout)
  t.match(told, { cores: Number, kernel: String, fileLimit: Number, cards: Array })
  const current = readFileSync('/proc/sys/fs/file-max', 'utf8').trim()
  t.match(
    told.settings.find(({ name }: { name: string }) => name === 'fs.file-max'),
    { current, advised: '1048576', isGood: Number(current) >= 1_000_000 },
  )
  const { code: unknown, stderr: help } = await run(['bench', 'race'])
  t.equal(unknown, 2)
  t.match(help, /unknown command/)
})

t.test('a system without /proc has no settings to be judged', async (t) => {
  const { machine } = sample([])
  t.match(doctorText(machine, [], []), 'This system does not tell its settings by /proc/sys.')
})
