// Small programs that leak, each with its fixed twin. Usage: leaks NAME leak|fixed [MILLISECONDS]
// Does its work, says "ready", and then waits to be killed; or does a round for each request: leaks NAME leak|fixed --serve PORT
import Glibc

let arguments = CommandLine.arguments
guard arguments.count >= 3, let program = programs[arguments[1]] else {
    print("usage: leaks \(programs.keys.sorted().joined(separator: "|")) leak|fixed")
    exit(2)
}
if let servedPort {
    // One more thread: the program's loop blocks one of the pool's.
    onThread { Rounds.shared.serve(port: servedPort) }
}
// What main's own frame holds is no leak: the work is done elsewhere.
let work = Task.detached { await program(arguments[2] == "leak") }
await work.value
print("ready")
fflush(nil)
while true { pause() }
