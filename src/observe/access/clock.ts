/** The present moment as logs write it: a text is made once a second, or once a millisecond. */

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

let second = Number.NaN
let text = ''
let moment = Number.NaN
let isoText = ''

/** `27/Nov/2026:00:26:01 +0000`, in the machine's time zone: the `%t` of Apache, the `$time_local` of nginx. */
export function localTime(nowMs: number = Date.now()): string {
  const now = Math.floor(nowMs / 1000)
  if (now !== second) {
    second = now
    text = format(new Date(now * 1000))
  }
  return text
}

/** `2026-11-27T00:26:01.123Z` (RFC 3339). */
export function isoTime(nowMs: number = Date.now()): string {
  if (nowMs !== moment) {
    moment = nowMs
    isoText = new Date(nowMs).toISOString()
  }
  return isoText
}

function format(date: Date): string {
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const minutes = -date.getTimezoneOffset()
  const away = Math.abs(minutes)
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(away / 60))}${two(away % 60)}`
  return `${day}:${time} ${zone}`
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}
