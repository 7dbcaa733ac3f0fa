/**
 * Which addresses belong to the public Internet: all but those that IANA keeps for special purposes (RFC 6890 and its
 * registries), through which a request could reach this machine, its network, or a cloud's own services.
 */
import { BlockList, isIP } from 'node:net'
import { createError } from '../../core/errors.ts'

const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Not IANA's, but Azure's own services, wherever one asks from.
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/** Only 2000::/3 is given out; of that, what leads elsewhere: Teredo, 6to4, documentation. */
const SPECIAL_IPV6 = [
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
]

/** Apart: in one list an IPv4 address would meet the networks that its IPv6 form is in. */
const specialIpv4 = listOf(SPECIAL_IPV4)
const specialIpv6 = listOf(SPECIAL_IPV6)

export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !specialIpv4.check(address, 'ipv4')
  return family === 6 && !specialIpv6.check(address, 'ipv6')
}

/** Throws UWAS_ERR_CORE_INVALID_OPTION for what is no network. */
export function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/')
    const family = isIP(address)
    const isBits = /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
    if (family === 0 || !isBits) {
      const problem = `${JSON.stringify(network)} is no network like 10.1.0.0/16`
      throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where: 'fetchOutside()', problem })
    }
    list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}
