import DurableOutbox
import GRDB
import Migrations
import OakumTestKit
import Synchronization

/// The clocks of a machine that a test moves: the boot clock is a virtual clock, the wall clock can be set, and the machine
/// can be rebooted.
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

    /// Runs a dispatcher beside `body`, and stops it gracefully at the end.
    func delivering(
        to sender: some OutboxSender, settings: OutboxSettings = OutboxSettings(), machine: Machine, seed: UInt64 = 1,
        notices: Recorder<OutboxNotice> = Recorder(),
        _ body: (OutboxDispatcher<VirtualClock>) async throws -> Void
    ) async throws {
        let dispatcher = dispatcher(to: sender, settings: settings, machine: machine, seed: seed, notices: notices)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await dispatcher.run() }
            do {
                try await body(dispatcher)
            } catch {
                group.cancelAll()
                throw error
            }
            dispatcher.stop()
            try await group.waitForAll()
        }
    }

    func dispatcher(
        to sender: some OutboxSender, settings: OutboxSettings = OutboxSettings(), machine: Machine, seed: UInt64 = 1,
        notices: Recorder<OutboxNotice> = Recorder()
    ) -> OutboxDispatcher<VirtualClock> {
        let generator = Locked(SeededGenerator(seed: seed))
        return OutboxDispatcher(
            outbox: outbox, database: database, sender: sender, settings: settings, clock: machine.virtual,
            notice: { notices.record($0) }, randomness: { generator.state.withLock { $0.next() } })
    }
}

final class Locked<Value: Sendable>: Sendable {
    let state: Mutex<Value>

    init(_ value: Value) {
        state = Mutex(value)
    }
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
