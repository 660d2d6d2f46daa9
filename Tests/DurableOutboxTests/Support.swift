import DurableOutbox
import GRDB
import Glibc
import Migrations
import OakumTestKit
import Synchronization
import Testing

/// The clocks of a machine that a test moves: the boot clock is a virtual clock, the wall clock can be set, and the
/// machine can be rebooted.
final class Machine: Sendable {
    private struct State {
        var bootID = "first"
        var bootOffset: Int64 = 5_000
        var wallOffset: Int64 = 1_700_000_000_000
    }

    let virtual = VirtualClock()
    private let state = Mutex(State())

    var clock: OutboxClock { OutboxClock { self.reading } }

    var reading: OutboxReading {
        let passed = virtual.now.offset.wholeMilliseconds
        return state.withLock {
            OutboxReading(
                bootID: $0.bootID, bootMilliseconds: $0.bootOffset + passed, wallMilliseconds: $0.wallOffset + passed)
        }
    }

    func setWall(by duration: Duration) {
        state.withLock { $0.wallOffset += duration.wholeMilliseconds }
    }

    /// The boot clock begins again at zero; the wall clock goes on, after `off`.
    func reboot(off: Duration) {
        let passed = virtual.now.offset.wholeMilliseconds
        state.withLock {
            $0.bootID += "'"
            $0.bootOffset = -passed
            $0.wallOffset += off.wholeMilliseconds
        }
    }
}

/// An outbox in a database of its own.
struct Bench: Sendable {
    let outbox: Outbox
    let database: DatabaseQueue

    init(path: String? = nil, clock: OutboxClock, bounds: Outbox.Bounds = Outbox.Bounds()) throws {
        database =
            try path.map { try DatabaseQueue(path: $0, configuration: Self.configuration) }
            ?? DatabaseQueue(configuration: Self.configuration)
        _ = try MigrationPlan([Outbox.migration(number: 1)]).apply(to: database)
        outbox = Outbox(clock: clock, bounds: bounds)
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return configuration
    }

    @discardableResult
    func enqueue(_ messages: OutboxMessage...) throws -> [OutboxEnqueued] {
        try database.write { db in try messages.map { try outbox.enqueue($0, in: db) } }
    }

    func counts() throws -> OutboxCounts {
        try database.read { try outbox.counts(in: $0) }
    }

    func pending() throws -> [OutboxPending] {
        try database.read { try outbox.pending(limit: 1000, in: $0) }
    }

    func unheard() throws -> [OutboxOutcome] {
        try database.read { try outbox.unheardOutcomes(limit: 1000, in: $0) }
    }

    func heard(_ ids: [String]) throws {
        try database.write { try outbox.markHeard(ids: ids, in: $0) }
    }

    func withdraw(_ ids: String...) throws -> Outbox.Withdrawal {
        try database.write { try outbox.withdraw(ids: ids, in: $0) }
    }

    func prune(_ age: Duration, keeping: Int) throws -> Int {
        try database.write { try outbox.prune(olderThan: age, keeping: keeping, in: $0) }
    }

    /// The rows in each state, counted one by one.
    func counted() throws -> [Int] {
        try database.read { db in
            try (0..<5).map { state in
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM outbox_messages WHERE state = ?", arguments: [state]) ?? 0
            }
        }
    }

    /// Something from outside, in a transaction.
    func execute(_ sql: String) throws {
        try database.write { try $0.execute(sql: sql) }
    }

    /// The same outside of one, for pragmas.
    func set(_ pragma: String) throws {
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA \(pragma)") }
    }

    /// Runs a dispatcher, step by step, beside `body`; then stops it gracefully.
    func delivering(
        to sender: some OutboxSender, settings: OutboxSettings = OutboxSettings(), machine: Machine, seed: UInt64 = 1,
        notices: Recorder<OutboxNotice>? = nil, _ body: (Stepper) async throws -> Void
    ) async throws {
        let dispatcher = dispatcher(to: sender, settings: settings, machine: machine, seed: seed, notices: notices)
        let stepper = Stepper(machine: machine, database: database, dispatcher: dispatcher)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: stepper.executor) {
                defer { stepper.ended.state.withLock { $0 = true } }
                try await dispatcher.run()
            }
            do {
                try stepper.settle()
                try await body(stepper)
                dispatcher.stop()
                try stepper.advance(by: settings.stopWithin + .seconds(1))
            } catch {
                group.cancelAll()
                try stepper.settle()
                throw error
            }
            try #require(stepper.hasEnded, "the dispatcher did not stop")
            try await group.waitForAll()
        }
    }

    func dispatcher(
        to sender: some OutboxSender, settings: OutboxSettings = OutboxSettings(), machine: Machine, seed: UInt64 = 1,
        notices: Recorder<OutboxNotice>? = nil
    ) -> OutboxDispatcher<VirtualClock> {
        let generator = Locked(SeededGenerator(seed: seed))
        return OutboxDispatcher(
            outbox: outbox, database: database, sender: sender, settings: settings, clock: machine.virtual,
            notice: { notices?.record($0) }, randomness: { generator.state.withLock { $0.next() } })
    }
}

/// Drives a dispatcher: everything it does happens inside these calls, on the calling thread.
struct Stepper {
    let machine: Machine
    let database: DatabaseQueue
    let dispatcher: OutboxDispatcher<VirtualClock>
    let executor = SteppedExecutor()
    let ended = Locked(false)

    var hasEnded: Bool { ended.state.withLock { $0 } }

    /// Runs until everything waits for the clock, or for a receiver.
    func settle() throws {
        // The database works on a thread of its own: an empty access comes after all that was asked of it.
        repeat { database.inDatabase { _ in } } while executor.drain() > 0
    }

    /// Moves time, from one deadline to the next.
    func advance(by duration: Duration) throws {
        try settle()
        let end = machine.virtual.now.advanced(by: duration)
        while let next = machine.virtual.nextDeadline, next <= end {
            machine.virtual.advance(to: next)
            try settle()
        }
        machine.virtual.advance(to: end)
        try settle()
    }
}

final class Locked<Value: Sendable>: Sendable {
    let state: Mutex<Value>

    init(_ value: Value) {
        state = Mutex(value)
    }
}

/// How many seeds a property is tried with: that many in ordinary runs, a hundred times as many with FULL=1.
func often(_ count: UInt64) -> UInt64 {
    getenv("FULL") == nil ? count : count * 100
}

/// An expectation for long loops: it costs nothing while it holds.
func holds(_ condition: Bool, _ rule: String, sourceLocation: SourceLocation = #_sourceLocation) {
    if !condition { Issue.record("broken: \(rule)", sourceLocation: sourceLocation) }
}

func message(
    _ id: String, to destination: String = "pager", priority: OutboxPriority = .normal, thread: String? = nil,
    payload: [UInt8] = [1, 2, 3], notBefore: Duration = .zero, giveUpAfter: Duration = .seconds(3600)
) -> OutboxMessage {
    OutboxMessage(
        id: id, destination: destination, kind: "test", priority: priority, thread: thread, payload: payload,
        notBefore: notBefore, giveUpAfter: giveUpAfter)
}

/// A receiver whose answers a test gives: it keeps what it was sent, and answers by rule, at once or when told.
final class FakeReceiver: OutboxSender {
    struct Sent: Hashable {
        var id: String
        var attempt: Int
        var at: Duration
    }

    private struct State {
        var sent: [Sent] = []
        var payloads: [String: [UInt8]] = [:]
        var current: [String: Int] = [:]
        var most: [String: Int] = [:]
        var waiting: [String: CheckedContinuation<OutboxAnswer, Never>] = [:]
    }

    private let state = Mutex(State())
    private let clock: VirtualClock
    /// Nil: the answer comes by `answer`, or never.
    private let rule: @Sendable (OutboxMessage, Int) -> OutboxAnswer?

    init(
        _ clock: VirtualClock,
        rule: @escaping @Sendable (OutboxMessage, Int) -> OutboxAnswer? = { _, _ in .delivered(receipt: nil) }
    ) {
        self.clock = clock
        self.rule = rule
    }

    var sent: [Sent] { state.withLock { $0.sent } }
    var ids: [String] { sent.map(\.id) }
    var payloads: [String: [UInt8]] { state.withLock { $0.payloads } }
    /// The most that were in flight at once, by destination.
    var most: [String: Int] { state.withLock { $0.most } }

    func send(_ message: OutboxMessage, attempt: Int, waypoints: Waypoints) async -> OutboxAnswer {
        let at = clock.now.offset
        state.withLock { state in
            state.sent.append(Sent(id: message.id, attempt: attempt, at: at))
            state.payloads[message.id] = message.payload
            state.current[message.destination, default: 0] += 1
            state.most[message.destination] = max(
                state.most[message.destination] ?? 0, state.current[message.destination] ?? 0)
        }
        defer { state.withLock { $0.current[message.destination, default: 0] -= 1 } }
        if let answer = rule(message, attempt) { return answer }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.waiting[message.id] = continuation
                    return false
                }
                if isCancelled { continuation.resume(returning: .again(after: nil, words: "cancelled")) }
            }
        } onCancel: {
            answer(message.id, .again(after: nil, words: "cancelled"))
        }
    }

    /// Answers a message that waits. False when it does not.
    @discardableResult
    func answer(_ id: String, _ answer: OutboxAnswer) -> Bool {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
        waiting?.resume(returning: answer)
        return waiting != nil
    }
}
