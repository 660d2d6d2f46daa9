import Glibc

typealias Program = @Sendable (_ leaks: Bool) async -> Void

/// Port to serve rounds on demand at; nil: 400 rounds at once.
let servedPort =
    CommandLine.arguments.count > 4 && CommandLine.arguments[3] == "--serve" ? UInt16(CommandLine.arguments[4]) : nil
let rounds = servedPort == nil ? 400 : Int.max
let clock = ContinuousClock()

let programs: [String: Program] = [
    "actor-dictionary": actorDictionary, "closure-cycle": closureCycle, "task-group": taskGroup,
    "static-array": staticArray, "delegate-cycle": delegateCycle, "continuation": continuation,
    "endless-task": endlessTask, "channel": channel, "generic-store": genericStore, "set-of-names": setOfNames,
    "enum-payload": enumPayload, "observers": observers, "linked-list": linkedList, "small-block": smallBlock,
    "growing-array": growingArray, "page-cache": pageCache,
]

/// With a third argument the work takes as many milliseconds a round: how long things live shows in time only.
@inline(never) func pace() {
    guard servedPort == nil else { return Rounds.shared.pass() }
    if CommandLine.arguments.count > 3, let milliseconds = Int32(CommandLine.arguments[3]) {
        _ = Glibc.poll(nil, 0, milliseconds)
    }
}

/// What most programs leak: a buffer in an object.
final class Session: Sendable {
    let body: [UInt8]
    init(_ number: Int) { body = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 3_000) }
}

// MARK: - An unbounded dictionary in an actor

actor SessionCache {
    static let shared = SessionCache()
    private var hits = 0
    private var entries: [String: Session] = [:]

    @inline(never)
    func put(_ number: Int, keeping limit: Int) {
        entries["session number \(number) of this run"] = Session(number)
        hits += 1
        if entries.count > limit, let first = entries.keys.first { entries[first] = nil }
    }
}

@Sendable func actorDictionary(leaks: Bool) async {
    for number in 0..<rounds {
        await SessionCache.shared.put(number, keeping: leaks ? .max : 5)
        pace()
    }
}

// MARK: - A closure that holds the object that holds it

final class Download {
    let buffer = [UInt8](repeating: 1, count: 3_000)
    var onFinish: (() -> Int)?
}

@inline(never) func startDownload(leaks: Bool) {
    let download = Download()
    if leaks {
        download.onFinish = { download.buffer.count }
    } else {
        download.onFinish = { [weak download] in download?.buffer.count ?? 0 }
    }
    if download.onFinish?() == 0 { print("empty") }
}

@Sendable func closureCycle(leaks: Bool) async {
    for _ in 0..<rounds {
        startDownload(leaks: leaks)
        pace()
    }
}

// MARK: - A task group whose results nobody takes

@inline(never) @Sendable func handleRequest(_ number: Int) async -> Session { Session(number) }

@Sendable func taskGroup(leaks: Bool) async {
    let (stream, feed) = AsyncStream.makeStream(of: Void.self)
    let server = Task.detached {
        await withTaskGroup(of: Session.self) { group in
            for number in 0..<rounds {
                pace()
                group.addTask { await handleRequest(number) }
                if !leaks { _ = await group.next() }
            }
            feed.yield()
            // An accept loop that runs for ever, as a server's does.
            await waitForever()
        }
    }
    for await _ in stream { break }
    // The last children may still be on their way.
    // Nobody cancels this; a wait that is over early is as good.
    try? await clock.sleep(for: .milliseconds(200))
    servers.withLock { $0.append(server) }
}

import Synchronization

let servers = Mutex<[Task<Void, Never>]>([])

@inline(never) @Sendable func waitForever() async {
    // Nobody cancels this; a wait that is over early is as good.
    while true { try? await clock.sleep(for: .seconds(3_600)) }
}

// MARK: - An array in a static

enum AuditLog {
    struct Entry {
        var number: Int
        var payload: [UInt8]
    }
    // Safe: the one task that does the work touches it alone.
    nonisolated(unsafe) static var entries: [Entry] = []
}

@inline(never) func audit(_ number: Int, leaks: Bool) {
    AuditLog.entries.append(.init(number: number, payload: [UInt8](repeating: 2, count: 3_000)))
    if !leaks, AuditLog.entries.count > 5 { AuditLog.entries.removeFirst() }
}

@Sendable func staticArray(leaks: Bool) async {
    for number in 0..<rounds {
        audit(number, leaks: leaks)
        pace()
    }
}

// MARK: - Delegate and owner hold one another

protocol ConnectionDelegate: AnyObject {
    func closed()
}

final class Connection {
    let input = [UInt8](repeating: 3, count: 3_000)
    var strongDelegate: (any ConnectionDelegate)?
    weak var weakDelegate: (any ConnectionDelegate)?
}

final class Controller: ConnectionDelegate {
    let connection = Connection()
    func closed() {}
    init(leaks: Bool) {
        if leaks { connection.strongDelegate = self } else { connection.weakDelegate = self }
    }
}

@inline(never) func connect(leaks: Bool) {
    let controller = Controller(leaks: leaks)
    controller.connection.strongDelegate?.closed()
    controller.connection.weakDelegate?.closed()
}

@Sendable func delegateCycle(leaks: Bool) async {
    for _ in 0..<rounds {
        connect(leaks: leaks)
        pace()
    }
}
