/** The present second as logs write it; a text is made once a second. */

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

let second = Number.NaN
let text = ''

/** `27/Nov/2026:00:26:01 +0000`, in the machine's time zone: the `%t` of Apache, the `$time_local` of nginx. */
export function localTime(nowMs: number = Date.now()): string {
  const now = Math.floor(nowMs / 1000)
  if (now !== second) {
    second = now
    text = format(new Date(now * 1000))
  }
  return text
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
