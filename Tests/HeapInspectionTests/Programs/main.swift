// Small programs that leak, each with its fixed twin. Usage: leaks NAME leak|fixed [MILLISECONDS]
// Does its work, says "ready", and then waits to be killed.
import Glibc

let arguments = CommandLine.arguments
guard arguments.count >= 3, let program = programs[arguments[1]] else {
    print("usage: leaks \(programs.keys.sorted().joined(separator: "|")) leak|fixed")
    exit(2)
}
// What main's own frame holds is no leak: the work is done elsewhere.
let work = Task.detached { await program(arguments[2] == "leak") }
await work.value
print("ready")
fflush(nil)
while true { pause() }
