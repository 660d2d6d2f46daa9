// A Swift program with the standard library linked in statically: leaks a known amount of objects, from a task too.
final class Session {
    var bytes: [UInt8]
    init(size: Int) { bytes = [UInt8](repeating: 1, count: size) }
}

actor Registry {
    private var sessions: [Session] = []
    func keep(_ session: Session) { sessions.append(session) }
    var count: Int { sessions.count }
}

@inline(never)
func leakSessions(_ count: Int, into registry: Registry) async {
    for _ in 0..<count { await registry.keep(Session(size: 2000)) }
}

let registry = Registry()
await leakSessions(10_000, into: registry)
print("kept", await registry.count)
