/** How far away hosts are: the time to open a connection, measured again now and then while somebody asks. */
export interface RoundTrips {
  /** Milliseconds to the host of this URL; undefined until it is measured. Asking starts the measuring. */
  of(url: string): number | undefined
}

export interface RoundTripOptions {
  /** Opens and closes a connection. Undefined: it did not stand. */
  readonly probe: (host: string, port: number) => Promise<number | undefined>
  readonly now?: () => number
  /** How long a measurement holds. Default 60 000. */
  readonly everyMs?: number
}

interface Measured {
  ms: number | undefined
  at: number
}

/** What a new measurement weighs against the ones before: one slow connection is no distance. */
const NEW_SHARE = 0.3
const MAX_HOSTS = 1_000

export function createRoundTrips({ probe, now = Date.now, everyMs = 60_000 }: RoundTripOptions): RoundTrips {
  const hosts = new Map<string, Measured>()

  async function measure(host: string, port: number, known: Measured): Promise<void> {
    try {
      const ms = await probe(host, port)
      if (ms !== undefined) known.ms = known.ms === undefined || ms < known.ms ? ms : known.ms + NEW_SHARE * (ms - known.ms)
    } catch {
      // Whether a host can be reached is found out by the calls that go there.
    }
  }

  return {
    of(url) {
      const { hostname, port, protocol, host } = new URL(url)
      let known = hosts.get(host)
      if (!known) {
        if (hosts.size >= MAX_HOSTS) hosts.clear()
        known = { ms: undefined, at: Number.NEGATIVE_INFINITY }
        hosts.set(host, known)
      }
      if (now() - known.at >= everyMs) {
        known.at = now()
        void measure(hostname.replace(/^\[|\]$/g, ''), port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port), known)
      }
      return known.ms
    },
  }
}
