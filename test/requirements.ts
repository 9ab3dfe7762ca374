/**
 * What is claimed of each requirement, and which tests show it. A name of a test is written as it stands in its file, with … for what a
 * template puts in.
 * Ids are those of REQUIREMENTS.md of the project's brief.
 */
export type Claim =
  | { readonly state: 'met'; readonly tests: readonly Evidence[] }
  /** `lacks`: what of the requirement is not there. */
  | { readonly state: 'part'; readonly lacks: string; readonly tests: readonly Evidence[] }
  | { readonly state: 'open'; readonly why: string }

/** A file, and the name of a test in it. */
export type Evidence = readonly [file: string, test: string]

const met = (...tests: readonly Evidence[]): Claim => ({ state: 'met', tests })
const part = (lacks: string, ...tests: readonly Evidence[]): Claim => ({ state: 'part', lacks, tests })
const open = (why = 'not built yet'): Claim => ({ state: 'open', why })

export const claims: Readonly<Record<string, Claim>> = {
  A1: part(
    'driven by tests: openai, @anthropic-ai/sdk, @google/genai, the AI SDK, LangChain; not the Agents SDK, cohere-ai, Mistral, ollama, nor the agents',
    ['test/sdk/helpers.e2e.test.ts', 'openai → …: runTools runs a tool and ends'],
    ['test/sdk/helpers.e2e.test.ts', '@google/genai → …: calls functions by itself'],
    ['test/sdk/scenarios.ts', '…, streamed: …'],
    ['test/sdk/guide.test.ts', 'the guide marks exactly the SDKs that the scenarios are run with'],
  ),
  A2: part(
    'Chat, Responses over HTTP, Messages, count_tokens, Gemini and Models; none of the other operations, no WebSocket, no Ollama dialect',
    ['src/server/http-server.test.ts', 'every dialect answers over sockets as it does in process'],
    ['src/ingress/models.test.ts', 'one model in every shape'],
    ['src/ingress/endpoints.test.ts', 'the list of models takes the shape of whoever asks'],
  ),
  A3: part(
    'OpenAI Chat and Responses, Anthropic Messages, Gemini and the hosts that are compatible with them; not Vertex, Bedrock, Azure, Cohere’s and Ollama’s own',
    ['src/catalog/catalog.test.ts', 'knows which wires a provider speaks, the preferred first, and where'],
    ['src/catalog/catalog.test.ts', 'gives every provider a base URL that requests can be joined to, or says why not'],
    ['src/wire/wires.test.ts', '…: a reply keeps its words, calls, ending and usage, whole and streamed alike'],
  ),
  A4: part(
    'between the four wires that exist',
    ['test/conformance.e2e.test.ts', 'every recorded answer reaches every kind of client whole'],
    ['test/conformance.e2e.test.ts', 'every recorded request reaches every kind of provider whole'],
    ['src/wire/wires-recordings.test.ts', '…: a recorded answer says the same after it has been through any dialect, whole and streamed'],
  ),
  A5: met(
    ['test/conformance.e2e.test.ts', 'every recorded request reaches every kind of provider whole'],
    ['src/wire/openai-chat/encode-call.test.ts', 'what cannot be said is named, field by field'],
    ['test/bad-input/json.test.ts', 'what a translation would change in silence'],
    ['src/gateway.test.ts', 'the same wire gets the caller’s own text, but for the model and what steers the gateway'],
  ),
  A6: met(
    ['src/gateway.test.ts', 'injected fields win over the caller’s and stand once'],
    ['src/gateway.test.ts', 'the same wire gets the caller’s own text, but for the model and what steers the gateway'],
  ),
  A7: part(
    'unexpected fields pass on the same wire and are named in a translation; there is no policy that strips or refuses them',
    ['test/bad-input/types.slow.test.ts', '…: a wrong type anywhere is served or refused with its place'],
    ['test/bad-input/mutations.test.ts', '…: damaged bodies are served or refused in the dialect, whatever the provider speaks'],
    ['src/server/http-server.test.ts', 'a bomb of … is a 413, and costs no memory'],
    ['src/ingress/request.test.ts', 'limits hold to the byte and to the level'],
  ),
  A8: met(
    ['src/egress/reasoning-memory.test.ts', 'thinking that a client left out comes back before its call'],
    ['src/wire/openai-chat/encode-reply.test.ts', 'sealed state of every vendor survives the way through a Chat client'],
    ['src/wire/anthropic-messages/encode-call.test.ts', 'thinking goes back with its own signature only'],
  ),
  A9: part(
    'no console page',
    ['src/catalog/catalog.test.ts', 'holds at least 140 providers and 5,000 models without the network'],
    ['src/server/commands/catalog.test.ts', 'writes the facts of a URL beside the config, and commands prefer them'],
    ['src/server/catalog-refresh.test.ts', 'what was never refreshed is, at once and then every so often; what says the same is no reload'],
    [
      'src/server/catalog-refresh.test.ts',
      'a price that changed is in force with the next reload, and a file that is none keeps the old one',
    ],
    ['src/ingress/models.test.ts', 'OpenAI’s list'],
  ),
  A10: met(
    ['src/ingress/compat/compat.test.ts', "OpenRouter's `provider` object orders, includes, excludes, sorts and limits the price"],
    ['src/ingress/compat/compat.test.ts', "LiteLLM's `fallbacks` are tried behind the model, in each of their forms"],
    ['src/ingress/compat/compat.test.ts', "Portkey's config header names targets; its credentials are never used"],
    ['src/config/importers/importers.test.ts', 'LiteLLM: what cannot be carried is named, and no credential is copied'],
    ['src/config/importers/importers.test.ts', 'Portkey: what cannot be carried is named'],
  ),

  B1: met(
    ['src/routing/order.test.ts', 'adaptive weighs latency, load, price, failures and headroom'],
    ['src/routing/order.test.ts', 'an operator’s own strategy sees what the others see'],
    ['test/resilience/attempts.test.ts', 'every strategy serves'],
    ['src/config/scores.test.ts', 'mixes whole numbers and fractions, asks about call, target and how it does'],
  ),
  B2: part(
    'constraints of a request and of a route; a key or a JWT claim restricts models and tiers, not region, cost or providers',
    [
      'src/routing/choose.test.ts',
      'constraints of a request leave targets out; what is not known of region, trust, retention or price does not meet them',
    ],
    ['src/routing/choose.test.ts', 'when nothing is left the answer says which constraint removed which target, and nothing is sent'],
  ),
  B3: met(
    ['src/routing/choose.test.ts', 'what a request needs leaves out models that are known to lack it; unknown models are assumed capable'],
    ['src/routing/choose.test.ts', 'preferences weigh cost, features and words against each other'],
    ['src/core/requirements.test.ts', 'preferences: a weight is 1 unless it is said, and 0 to 1'],
  ),
  B4: open(),
  B5: open(),
  B6: met(
    ['src/routing/choose.test.ts', 'losing the models of a tier falls to the next, and a header says so'],
    ['src/policy/spending/spending.test.ts', 'a budget that falls to the next tier says so, and does not stop the call there'],
    ['src/policy/access/authorize.test.ts', 'a key for some tiers may not use a model of none'],
  ),
  B7: open('not built yet: `cheapest` knows prices of the hour, not what is really spent per completion'),
  B8: met(
    ['src/routing/health/rate-limit-headers.test.ts', 'OpenAI’s headers tell the scarcest limit, with its reset as a duration'],
    ['src/routing/health/health.test.ts', 'headroom is learnt from headers and comes back evenly'],
  ),
  B9: open('not built yet: `sticky` keeps sessions at their target, but nothing measures what a provider’s cache saves'),
  B10: open(),
  B11: met(
    ['src/routing/choose.test.ts', 'a pool without targets is filled from the configured providers by category'],
    ['src/routing/choose.test.ts', 'a model leaves after its last day, and is warned of before'],
    ['src/routing/order.test.ts', 'adaptive weighs latency, load, price, failures and headroom'],
  ),
  B12: part(
    'no rule is bound to what a prompt holds: that waits for the guards',
    ['src/egress/round-trips.test.ts', 'a host is measured when it is first asked for, and again when the measurement is old'],
    [
      'src/routing/choose.test.ts',
      'constraints of a request leave targets out; what is not known of region, trust, retention or price does not meet them',
    ],
  ),
  B13: open('not built yet: local models are providers like others'),
  B14: met(
    ['test/routing/agreement.test.ts', 'explain agrees with what then happens'],
    ['test/routing/agreement.slow.test.ts', 'explain agrees with what then happens in a thousand cases'],
    ['src/server/commands/explain.test.ts', 'tells order and reasons from a configuration alone'],
    ['test/admin/resources.e2e.test.ts', 'a decision record tells of one call, to those whose call it is'],
  ),
  B15: open(),

  C1: part(
    'the retry budget is one process’s, not the fleet’s',
    ['src/egress/recovery.test.ts', 'pauses double, with full jitter, up to five seconds'],
    ['src/egress/recovery.test.ts', 'a provider that says when to come back is not asked before'],
    ['src/egress/retry-budget.test.ts', 'quiet times have a few retries, busy ones a share of their calls'],
    ['test/resilience/attempts.test.ts', 'a retry that could only come after the deadline is not made'],
  ),
  C2: met(
    ['src/gateway.test.ts', '… moves the call to the next target, unseen'],
    ['test/resilience/attempts.test.ts', 'what is too long for one goes to another model that may hold more, never to the same again'],
    ['test/resilience/attempts.test.ts', 'a refusal by policy is handed on, or taken to the next target, as configured'],
  ),
  C3: met(
    ['src/routing/health/health.test.ts', 'five hard failures in a row make a target rest; half a rest later it may be probed by one call'],
    ['test/resilience/schedules.test.ts', 'a breaker opens, rests, probes and closes as it must, in a thousand schedules'],
    ['src/routing/health/health.test.ts', 'what another replica found failing rests here too, shorter, and is probed like any other'],
    ['src/server/state/gossip.e2e.test.ts', 'replicas hear it through Redis, and again when Redis has been away'],
  ),
  C4: met(
    ['src/egress/adaptive-timeouts.test.ts', 'a target that answers fast is given up on sooner, but never too soon'],
    ['src/egress/adaptive-timeouts.test.ts', 'what is configured is the most there is, and all where nothing is known'],
    ['src/egress/hedge.test.ts', 'without budget there is no second'],
  ),
  C5: met(
    ['src/gateway.test.ts', 'after the first output there is no other target: the stream ends in an error, never like a success'],
    ['test/resilience/continue-pairs.slow.test.ts', '… → …: cut after each event, …'],
    [
      'test/resilience/continue-cases.slow.test.ts',
      'usage is the sum of all targets; what one of them did not get to tell is estimated, and marked',
    ],
    ['test/resilience/continue-cases.slow.test.ts', 'a new answer begins with the event that voids what came before'],
  ),
  C6: met(
    ['src/wire/wires.test.ts', '…: an answer that was cut never looks finished with less than the whole'],
    ['test/conformance.e2e.test.ts', 'every recorded answer reaches every kind of client whole'],
  ),
  C7: part(
    'a caller that hangs up always cancels the upstream: no provider can be drained instead',
    [
      'test/resilience/overload.test.ts',
      'at its limits the gateway serves what it can, and refuses the rest in the dialect of each caller',
    ],
    ['src/admission/admission.test.ts', 'the most urgent goes first, and sends the least urgent away where the line is full'],
    ['src/gateway.test.ts', 'a caller that hangs up ends everything, once, as its own doing'],
    ['test/soak/soak.slow.test.ts', 'after mixed streams, hang-ups and faults, the gateway holds what it held before'],
  ),
  C8: met(
    ['test/resilience/attempts.test.ts', 'calls are spread over the keys'],
    ['src/routing/health/health.test.ts', 'a 429 rests that key for that model, as long as the provider says, and the next key goes on'],
    ['src/routing/health/health.test.ts', 'a refused key is retired until the configuration changes; a key without money comes back'],
    ['test/secrets/rotation.test.ts', 'provider keys are replaced ten times, the old one taken back a moment later: no call fails'],
  ),
  C9: met(
    ['src/drills/drill.test.ts', 'a route with two good targets holds under every fault, plain and streamed'],
    ['src/drills/drill.test.ts', 'a schedule drills again and again, tells each time, and posts as configured'],
    ['src/server/commands/drill.test.ts', 'and with 1 when one did not: the second target is broken itself'],
  ),
  C10: met(
    ['src/server/reload-serving.test.ts', 'a refused reload says where, what and what to do, and the old configuration serves on'],
    ['src/server/reload-serving.test.ts', 'a running stream ends on the line it began on, though its route and provider are gone'],
    ['test/process.e2e.test.ts', 'SIGTERM lets running calls end, refuses new ones, and ends with 0'],
    ['src/create-gateway.test.ts', 'a warmed model has its connection before the first call, which then uses it'],
  ),
  C11: part('identical concurrent requests are not coalesced: that waits for the cache', [
    'src/ingress/idempotency.test.ts',
    'the same call again gets the same answer, and nothing is sent twice',
  ]),

  D1: open(),
  D2: open(),
  D3: open(),
  D4: open(),
  D5: open(),
  D6: open('not built yet: marks of a request pass, nothing is marked or reported by the gateway'),

  E1: part(
    'tool calls and caches, which do not exist yet, have no entries',
    ['test/nemesis/nemesis.e2e.test.ts', 'the ledger tells what the provider counted, whatever breaks: …'],
    ['src/policy/spending/settlement.test.ts', 'how a call ended decides what it cost'],
    ['src/store/ledger/recover.test.ts', 'processes and threads killed at random, several at once, lose no entry and double none'],
    ['test/admin/resources.e2e.test.ts', 'usage by any dimension; an organisation sees what it is charged'],
  ),
  E2: met(
    ['src/accounting/price-table.test.ts', 'has sixty examples and more'],
    ['src/accounting/pieces.test.ts', 'is the sum of its parts, whatever is used and whatever is priced'],
    ['src/policy/spending/settlement.test.ts', 'mark-up and discount count in budgets and in what is charged, rounded once'],
    ['src/core/money.test.ts', 'a mark-up is in parts in a thousand, rounded once, half up'],
  ),
  E3: met(
    [
      'src/policy/spending/spending.test.ts',
      'of 500 concurrent calls on a budget for 10 exactly 10 are let in; what they leave is room again',
    ],
    ['src/policy/spending/property.test.ts', 'budgets hold under any interleaving… (SEED=…)'],
    ['src/store/counters/fallback.e2e.test.ts', '500 concurrent calls of two processes on a budget for 10: exactly 10 pass'],
    ['src/store/counters/shared-threads.test.ts', '500 concurrent calls of three threads on a budget for 10: exactly 10 pass'],
    ['src/policy/spending/waiting.test.ts', 'a call waits until calls that run have come to less than they held'],
    ['src/policy/spending/warnings.test.ts', 'each share is told once in a window, by the call that reaches it'],
    [
      'src/policy/spending/spending.test.ts',
      'each key, user, team, project, tag, route, model, provider and class of addresses has a count of its own',
    ],
  ),
  E4: met(
    ['src/policy/spending/headers.test.ts', 'OpenAI dialects: requests and tokens, of each the limit with the least room'],
    ['src/policy/spending/headers.test.ts', 'calls at a time: the next is let in when one has ended'],
    [
      'src/policy/spending/spending.test.ts',
      'each key, user, team, project, tag, route, model, provider and class of addresses has a count of its own',
    ],
  ),
  E5: met(
    [
      'src/accounting/reconcile/drift.test.ts',
      'is found wherever it is, whichever way, told apart as tokens or price, and nothing else is',
    ],
    ['test/ledger/reconcile.test.ts', 'two thousand calls agree with the statement; half a per cent of one model on one day does not'],
    ['src/accounting/reconcile/reconciler.test.ts', 'runs on a schedule, one at a time, keeps the last report, and ends'],
  ),
  E6: met(
    ['src/policy/spending/credit.test.ts', 'without credit nothing goes; with a top-up it goes at once, as far as that reaches'],
    ['test/admin/resources.e2e.test.ts', 'credit is entered once, and a statement adds up'],
  ),
  E7: met(
    ['src/store/ledger/export.test.ts', 'FOCUS: the columns that tools ask for'],
    ['test/admin/resources.e2e.test.ts', 'usage by any dimension; an organisation sees what it is charged'],
    ['test/admin/commands.e2e.test.ts', 'usage as a table, as JSON and as CSV'],
    ['test/admin/resources.e2e.test.ts', 'calls are listed newest first, narrowed by what they were, to those whose calls they are'],
    ['src/store/ledger/ledger.test.ts', 'a page of the newest calls looks at so many and no more, along the index'],
  ),

  F1: part(
    'a scope for tools is kept, but there are no tools yet that it could hold for',
    ['src/policy/access/access.test.ts', 'neither the key nor its digest is shown, and the record holds no key'],
    ['src/policy/access/authorize.test.ts', 'what is absent is not restricted, an empty list allows nothing'],
    ['test/admin/resources.e2e.test.ts', 'a key is shown once, and never again in whole'],
  ),
  F2: met(
    ['test/access/access.e2e.test.ts', 'a token has no more than its key, and ends with it within a second'],
    ['src/policy/access/jwt.test.ts', 'a JWT is exchanged for a token, which ends with it and with the trust in its issuer'],
    ['test/secrets/canaries.e2e.test.ts', 'secrets of every kind are found in no output, answer, metric, record, row or file'],
  ),
  F3: part(
    'there is no console to log in to',
    ['src/policy/access/jwt.test.ts', 'attacks are refused, each for its own reason'],
    [
      'src/policy/access/jwt.test.ts',
      'rotation: a key that tokens name is fetched at once, and names that do not exist not more than twice a minute',
    ],
    ['test/access/access.e2e.test.ts', 'a JWT calls what its claims allow, and manages what its role allows'],
    [
      'test/admin/access-matrix.e2e.test.ts',
      'the roles of the routes are those of the rights table, and what concerns everybody is marked so',
    ],
    ['test/admin/access-matrix.e2e.test.ts', '… …: whoever has a key for it'],
  ),
  F4: met(
    ['src/policy/access/access.test.ts', 'a rotation under load refuses no call, with the old key or the new'],
    ['test/secrets/rotation.e2e.test.ts', 'three kinds of keys, each replaced several times while sixteen callers call'],
    ['test/secrets/scheduled-rotation.e2e.test.ts', 'a key that is due is replaced while it is used, and no call fails'],
    ['src/policy/access/scheduled-rotation.test.ts', 'whatever breaks off, the key that its holder last found opens'],
    ['src/policy/access/access.test.ts', 'revocation, change and expiry hold on every gateway of a store within a second'],
  ),
  F5: met(
    ['src/secrets/built-in.test.ts', 'gives back what was put, and nothing that reaches the database holds it'],
    ['src/secrets/kms/kms.test.ts', 'is made once, opens the store of a replica from nothing, and lies nowhere in the clear'],
    ['src/secrets/kms/kms.test.ts', 'from a key of the environment to the KMS and back, by configuration and by call'],
    [
      'test/secrets/kms.e2e.test.ts',
      'gateways that start together agree on one; it is wrapped anew, replaced, and goes elsewhere while they serve',
    ],
    ['src/secrets/sources/vault.test.ts', 'KV 2 and KV 1 are told apart by the mount, which may have several segments'],
    ['src/secrets/sources/aws.test.ts', 'Secrets Manager and Parameter Store, by name and by ARN, with signatures that hold'],
    ['src/secrets/sources/clouds.test.ts', "as the pod's service account, in its own namespace or another"],
    ['src/config/parse.test.ts', 'a credential in plain text is refused without repeating it, unless it is allowed'],
    ['src/egress/rotation.test.ts', 'an organisation with keys of its own is sent with those, and its list changes by itself'],
  ),
  F6: met(
    ['src/store/testing/audit-log-contract.ts', 'an edited detail'],
    ['test/admin/resources.e2e.test.ts', 'the audit log tells who did what to what, from where, and is whole'],
    ['test/admin/commands.e2e.test.ts', 'the audit log tells what was done, and that it is whole'],
    ['src/policy/access/access.test.ts', 'the first use in an hour from a class of addresses is audited, and no other'],
  ),
  F7: met(
    ['src/policy/access/origin.test.ts', 'hops are read from right to left, for as long as the one who speaks is trusted'],
    ['src/policy/access/origin.test.ts', 'an address belongs to the first class that fits, else it is external'],
    ['test/access/access.e2e.test.ts', 'a key for some addresses is let in from there, as a trusted proxy tells it'],
  ),
  F8: part(
    'shown for the API, keys, secrets, budgets and the ledger; there is no cache yet, and metrics are the owner’s alone',
    ['test/admin/access-matrix.e2e.test.ts', '… …: whoever has a key for it'],
    ['test/admin/resources.e2e.test.ts', 'what belongs to another organisation is as if it were not there, by whatever way it is named'],
    [
      'src/policy/spending/spending.test.ts',
      'teams of the same name in two organisations do not share a count, and a rule of one does not hold for the other',
    ],
  ),
  F9: part(
    'no sealed payloads, which are optional',
    ['src/server/tls/secure-listener.test.ts', 'a call over HTTP/2 is the call that it is over HTTP/1.1'],
    ['src/server/tls/serving-tls.test.ts', 'where certificates are required, nothing is served without one: calls, admin, metrics, health'],
    ['test/tls.e2e.test.ts', 'two threads behind one HTTPS port: calls are spread, certificates renewed, streams end before the exit'],
  ),

  G1: open(),
  G2: open(),
  G3: open(),
  G4: open(),
  G5: open(),
  G6: open(),
  G7: open(),
  G8: open(),

  H1: part(
    'no hash of the prompt, no times of queue, cache and guards, no content on request',
    ['test/admin/resources.e2e.test.ts', 'a decision record tells of one call, to those whose call it is'],
    ['src/gateway.test.ts', 'a refusal before any attempt counts none and is written down once'],
  ),
  H2: part(
    'Prometheus only: no OpenTelemetry, no dashboards, no alert rules',
    ['src/accounting/metrics/metrics.test.ts', 'a call is counted with its attempts, faults, tokens, times and cost'],
    ['src/accounting/metrics/metrics.test.ts', 'the guide has every metric in its table, with its type and labels, and no other'],
  ),
  H3: part('reports of drills only', [
    'src/drills/drill.test.ts',
    'a report is posted with a signature over its time and body, and again when the receiver failed',
  ]),
  H4: open(),
  H5: open(),

  I1: open(),
  I2: open(),
  I3: open(),
  I4: open('nothing of it exists, so nothing is paid for it'),

  J1: open(),
  J2: open(),
  J3: open(),
  J4: open(),
  J5: open(),
  J6: open(),
  J7: open(),

  K1: part(
    'tried on Node only',
    ['src/embed.test.ts', 'any base URL will do, and any form of request'],
    ['src/create-gateway.test.ts', 'budgets and limits hold in an embedded gateway too, and usage can be asked for'],
    ['test/examples.e2e.test.ts', 'embedded: the second target answers when the first is down'],
    ['src/store/open-store.test.ts', 'a store in memory loads nothing of SQL'],
  ),
  K2: met(
    ['test/threads.e2e.test.ts', 'both threads serve, neither more than 65 % of the calls, and one page counts them all'],
    ['src/store/counters/shared-threads.test.ts', '500 concurrent calls of three threads on a budget for 10: exactly 10 pass'],
    ['src/store/sql/sqlite.test.ts', 'what is committed is in the file, in WAL mode'],
  ),
  K3: part(
    'counters, keys, the ledger and openings of breakers are shared; caches do not exist yet',
    ['test/nemesis/nemesis.e2e.test.ts', 'the ledger tells what the provider counted, whatever breaks: …'],
    ['src/store/counters/fallback.e2e.test.ts', 'while Redis is dead two replicas share what is left, and tell it when it is back, once'],
    ['src/store/sql/postgres.e2e.test.ts', 'with the database down the store opens, refuses, and works as soon as it is there'],
  ),
  K4: open(),
  K5: open('not built yet: tenants, credit and their isolation exist, self-service does not'),

  L1: met(
    ['test/bootstrap.test.ts', 'the first start installs production dependencies without scripts, the second only runs'],
    ['src/config/defaults.test.ts', 'without a file the simulator answers, and providers whose usual variable is set'],
  ),
  L2: part(
    'no `backtest`, `connect`, `doctor`, `mcp`, `bench`, and no shell completion',
    ['src/server/cli.test.ts', 'a command or option that does not exist is met with the one that was meant'],
    ['src/server/cli.test.ts', '`check --json` is for programs'],
    ['test/admin/commands.e2e.test.ts', 'from the command line: options, JSON, and the address out of the configuration'],
  ),
  L3: met(
    ['src/config/load.test.ts', 'YAML, JSON and TypeScript say the same'],
    ['test/docs.test.ts', 'the guide shows at least ten mistakes, each with one problem and a remedy'],
    ['test/docs.test.ts', '… is what `npm run docs` would write'],
    ['test/process.e2e.test.ts', 'a saved configuration is read by itself; two SIGHUPs at once are one reload'],
  ),
  L4: part(
    'guides for what is built; no threat model',
    ['test/docs.test.ts', 'links between the documents lead somewhere'],
    ['test/examples.e2e.test.ts', 'the readme names every story'],
  ),
  L5: part(
    'for the resources that exist; there is no console yet',
    ['src/admin/openapi.test.ts', 'every route is in the document, and nothing else is'],
    ['src/admin/openapi.test.ts', 'every operation says its role, its parameters, its body and its answer'],
  ),
}
