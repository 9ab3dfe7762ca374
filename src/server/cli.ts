/**
 * The command line. Each command is loaded when it is asked for; `serve` is recognised before the argument parser is
 * loaded, since starting is timed and everything loaded stays in memory.
 */
export {}

const [command, ...rest] = process.argv.slice(2)

if (command === 'serve') {
  const { serveCommand } = await import('./commands/serve.ts')
  const code = await serveCommand(rest)
  // Undefined: it serves, and ends when it is told to.
  if (code !== undefined) process.exitCode = code
} else {
  const { runCommand } = await import('./commands/index.ts')
  process.exitCode = await runCommand(process.argv.slice(2))
}
