/** A set of networks, and whether an address lies in one of them. Made at start by whoever has lists of networks. */
import { BlockList, isIP } from 'node:net'

/** The address of who comes by a unix socket. */
export const UNIX_PEER = 'unix:'

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** What is no network. */
export const NETWORK_WORDS =
  'a network (10.0.0.0/8, fd00::/8), an address, "loopback", "private" or "unix"'

export class Networks {
  readonly #list: BlockList
  readonly #hasUnix: boolean

  /**
   * Networks, addresses, `loopback` (127.0.0.0/8, ::1), `private` (RFC 1918, RFC 4193) and `unix`, who comes by a unix
   * socket. What is none is thrown as `refusal` makes it.
   */
  constructor(networks: readonly string[], refusal: (network: string) => Error) {
    this.#list = new BlockList()
    this.#hasUnix = networks.includes('unix')
    for (const network of networks
      .filter((one) => one !== 'unix')
      .flatMap((one) => NAMED[one] ?? [one])) {
      const read = readNetwork(network)
      if (read === undefined) throw refusal(network)
      this.#list.addSubnet(read.address, read.bits, read.family)
    }
  }

  /** False for what is no address. IPv4 that came through an IPv6 socket is IPv4. */
  has(address: string): boolean {
    if (address === UNIX_PEER) return this.#hasUnix
    const family = isIP(address)
    return family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Of networks as `Networks` takes them, without `unix`: bits as of IPv6, so those of IPv4 and 96 more. */
export function networkBits(networks: readonly string[]): { address: string; bits: number }[] {
  return networks
    .flatMap((network) => NAMED[network] ?? [network])
    .flatMap((network) => {
      const read = readNetwork(network)
      if (read === undefined) return []
      const { address, bits, family } = read
      return [{ address, bits: family === 'ipv4' ? bits + 96 : bits }]
    })
}

/** Whether it is what `Networks` takes. */
export function isNetwork(network: string): boolean {
  return network === 'unix' || network in NAMED || readNetwork(network) !== undefined
}

/** One of a list, without its name; undefined for what is no network. */
export function readNetwork(
  network: string,
): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', bits, ...rest] = network.split('/')
  const family = isIP(address)
  const most = family === 4 ? 32 : 128
  const isRight =
    rest.length === 0 && family !== 0 && (bits === undefined || /^\d{1,3}$/.test(bits))
  const prefix = bits === undefined ? most : Number(bits)
  if (!isRight || prefix > most) return undefined
  return { address, bits: prefix, family: family === 4 ? 'ipv4' : 'ipv6' }
}
