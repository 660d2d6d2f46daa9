import DurableOutbox
import Foundation
import GRDB
import IncidentStoreSQLite
import Incidents
import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Synchronization
import Testing

/// Desk, store, outbox and dispatcher, put together as `oakum up` does it, on clocks that stand still until a test moves them, and a
/// post office that shows every page. After GoAlert's smoke tests: a page that nobody expected fails the test, so does every
/// complaint that nobody caused, and a few more rounds at the end catch strays.
final class Watchroom: Sendable {
    /// Who sees to it that the rest of the room stands still: everything happens inside calls of the test, on its thread.
    private let executor = SteppedExecutor()
    let clocks: MachineClocks
    let store: SQLiteIncidentStore
    let desk: IncidentDesk<VirtualClock>
    let post: PostOffice
    private let dispatcher: OutboxDispatcher<VirtualClock>
    private let notices = Recorder<OutboxNotice>()
    private let commands: AsyncStream<@Sendable () async -> Void>
    private let commander: AsyncStream<@Sendable () async -> Void>.Continuation
    private let ended = Mutex(0)

    private init(_ settings: IncidentSettings, path: String, _ clocks: MachineClocks, _ post: PostOffice) throws {
        self.clocks = clocks
        self.post = post
        (commands, commander) = AsyncStream.makeStream()
        store = try SQLiteIncidentStore(
            path: path, bootID: clocks.reading.bootID, outbox: Outbox(clock: OutboxClock { clocks.reading }))
        let (store, notices) = (store, notices)
        var settings = settings
        settings.installation = store.installation
        desk = IncidentDesk(
            settings: settings, store: store, outcomes: store, clock: clocks.virtual, now: { clocks.now },
            whenStored: { hasPages in if hasPages { store.outbox.bell.ring() } })
        let generator = Locked(SeededGenerator(seed: 7))
        dispatcher = OutboxDispatcher(
            outbox: store.outbox, database: store.database, sender: post, clock: clocks.virtual,
            notice: { notice in
                notices.record(notice)
                if notice == .outcomes { store.announce() }
            }, randomness: { generator.state.withLock { $0.next() } })
    }

    private final class Locked<Value: Sendable>: Sendable {
        let state: Mutex<Value>

        init(_ value: Value) { state = Mutex(value) }
    }

    /// Opens the room, and closes it as a process does that is killed: nothing is said goodbye to.
    static func run(
        _ settings: IncidentSettings, path: String, clocks: MachineClocks, post: PostOffice,
        _ body: (Watchroom) throws -> Void
    ) async throws {
        let room = try Watchroom(settings, path: path, clocks, post)
        try await room.desk.begin()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for work in room.work {
                group.addTask(executorPreference: room.executor) {
                    defer { room.ended.withLock { $0 += 1 } }
                    try await work()
                }
            }
            let outcome = Result {
                try room.settle()
                try body(room)
            }
            room.commander.finish()
            group.cancelAll()
            for _ in 0..<1_000 where room.ended.withLock({ $0 }) < room.work.count { try room.settle() }
            try #require(room.ended.withLock { $0 } == room.work.count, "the room did not close")
            try await group.waitForAll()
            try outcome.get()
        }
        try room.store.close()
    }

    private var work: [@Sendable () async throws -> Void] {
        [
            { await self.desk.run() }, { try await self.dispatcher.run() },
            { for await command in self.commands { await command() } },
        ]
    }

    // MARK: - Time

    /// Runs until everything waits for the clock, or for a receiver.
    func settle() throws {
        // The database works on a thread of its own: an empty access comes after all that was asked of it.
        repeat { store.database.inDatabase { _ in } } while executor.drain() > 0
    }

    /// Lets time pass, from one deadline to the next.
    func wait(_ seconds: Double) throws {
        try settle()
        let end = clocks.virtual.now.advanced(by: .seconds(seconds))
        while let next = clocks.virtual.nextDeadline, next <= end {
            clocks.virtual.advance(to: next)
            try settle()
        }
        clocks.virtual.advance(to: end)
        try settle()
    }

    /// The machine sleeps: time passes, and nothing sees it pass.
    func sleep(_ seconds: Double) throws {
        clocks.suspend(seconds)
        try wait(1)
    }

    // MARK: - Doing

    /// Asks something of the desk, and waits for the answer.
    @discardableResult
    func ask<Value: Sendable>(
        _ body: @escaping @Sendable (IncidentDesk<VirtualClock>) async throws -> Value
    ) throws -> Value {
        let answer = Locked<Result<Value, any Error>?>(nil)
        let desk = desk
        commander.yield {
            do {
                let value = try await body(desk)
                answer.state.withLock { $0 = .success(value) }
            } catch {
                answer.state.withLock { $0 = .failure(error) }
            }
        }
        try settle()
        return try #require(answer.state.withLock { $0 }, "the desk does not answer").get()
    }

    /// An alert of another system; the number of its incident.
    @discardableResult
    func tell(_ name: String, _ status: Alert.Status = .firing, severity: Severity = .critical) throws -> Int64? {
        let now = clocks.now
        let alert = Alert(
            source: .intake, status: status, fingerprint: name, kind: .outside, severity: severity, summary: name,
            since: now, at: now, labels: ["alertname": name])
        return try ask { try await $0.take([.alert(alert)]) }.first?.incident
    }

    func acknowledge(_ id: Int64?, by person: String = "ada") throws {
        let id = try #require(id)
        try ask { try await $0.act(.acknowledge(id), by: person) }
    }

    func report(_ id: Int64?) throws -> IncidentReport {
        let id = try #require(id)
        return try ask { try await $0.incident(id) }
    }

    /// Something from outside, in the store's own file.
    func execute(_ sql: String) throws {
        try settle()
        try store.database.writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    /// Drops what was kept for tests to look at.
    func forget() {
        post.forget()
        notices.forget()
    }

    // MARK: - Looking

    /// This page has come, as the next one of its channel, and it is the only one that has not been looked at there.
    @discardableResult
    func expect(
        _ kind: PageKind, _ channel: String, of incident: Int64? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> PostOffice.Sent? {
        guard let sent = post.next(in: channel), sent.page.kind == kind,
            incident == nil || sent.page.incident == incident
        else {
            Issue.record(
                "expected \(kind) through \(channel), there is \(post.words)", sourceLocation: sourceLocation)
            return nil
        }
        post.take(sent)
        return sent
    }

    /// Nothing has come that was not expected.
    func expectNothing(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(post.isEmpty, "nobody expected \(post.words)", sourceLocation: sourceLocation)
    }

    /// A few more rounds; then everything must have been expected, nothing may be under way, and nothing may have gone wrong.
    func finish(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for _ in 0..<3 { try wait(31) }
        expectNothing(sourceLocation: sourceLocation)
        let complaints = notices.values.filter { $0 != .outcomes }
        #expect(complaints.isEmpty, sourceLocation: sourceLocation)
        let problem = try ask { await $0.problem }
        #expect(problem == nil, sourceLocation: sourceLocation)
    }
}

/// Takes pages and answers as its rule says: at once, or never.
final class PostOffice: OutboxSender {
    struct Sent: Sendable, Equatable {
        var page: Page
        var attempt: Int
        /// Since the room's first day.
        var at: Duration
        var isDelivered: Bool
    }

    private struct State {
        var open: [Sent] = []
        var all: [Sent] = []
    }

    private let state = Mutex(State())
    private let clocks: MachineClocks
    private let rule: @Sendable (Page, Int, Duration) -> OutboxAnswer

    /// - Parameter rule: answers to a page by its attempt and the time.
    init(
        _ clocks: MachineClocks,
        rule: @escaping @Sendable (Page, Int, Duration) -> OutboxAnswer = { _, _, _ in .delivered(receipt: "ok") }
    ) {
        self.clocks = clocks
        self.rule = rule
    }

    func send(_ message: OutboxMessage, attempt: Int, waypoints: Waypoints) async -> OutboxAnswer {
        let page: Page
        do {
            page = try JSONDecoder().decode(Page.self, from: Data(message.payload))
        } catch {
            return .refused(words: "\(error)")
        }
        let at = clocks.virtual.now.offset
        let answer = rule(page, attempt, at)
        let isDelivered = if case .delivered = answer { true } else { false }
        let sent = Sent(page: page, attempt: attempt, at: at, isDelivered: isDelivered)
        state.withLock { state in
            state.all.append(sent)
            if isDelivered { state.open.append(sent) }
        }
        return answer
    }

    /// Every attempt there was.
    var all: [Sent] { state.withLock { $0.all } }
    var isEmpty: Bool { state.withLock { $0.open.isEmpty } }
    func next(in channel: String) -> Sent? { state.withLock { $0.open.first { $0.page.channel == channel } } }
    func take(_ sent: Sent) {
        state.withLock { state in state.open.removeAll { $0 == sent } }
    }

    func forget() {
        state.withLock { $0 = State() }
    }

    /// What has been delivered and not been looked at.
    var words: String {
        let words = state.withLock { $0.open }.prefix(20).map {
            "\($0.page.kind) of #\($0.page.incident ?? 0) through \($0.page.channel) at \($0.at)"
        }
        return words.isEmpty ? "nothing" : words.joined(separator: ", ")
    }
}

/// The clocks of a machine: the boot clock is the virtual one, the wall clock can be set, the machine suspended and rebooted.
final class MachineClocks: Sendable {
    private struct State {
        var bootID = "first"
        var bootMilliseconds: Int64 = 5_000
        var wallMilliseconds: Int64
    }

    let virtual = VirtualClock()
    private let state: Mutex<State>

    /// - Parameter start: "2026-03-29T00:50:00Z", say.
    init(_ start: String = "2026-01-05T10:00:00Z") throws {
        let seconds = try Date(start, strategy: .iso8601).timeIntervalSince1970
        state = Mutex(State(wallMilliseconds: Int64(seconds * 1_000)))
    }

    var reading: OutboxReading {
        let passed = virtual.now.offset.wholeMilliseconds
        return state.withLock {
            OutboxReading(
                bootID: $0.bootID, bootMilliseconds: $0.bootMilliseconds + passed,
                wallMilliseconds: $0.wallMilliseconds + passed)
        }
    }

    var now: Moment {
        let reading = reading
        return Moment(
            uptime: Uptime(seconds: Double(reading.bootMilliseconds) / 1_000),
            wall: WallTime(milliseconds: reading.wallMilliseconds))
    }

    func setWall(by seconds: Double) {
        state.withLock { $0.wallMilliseconds += Int64(seconds * 1_000) }
    }

    func suspend(_ seconds: Double) {
        state.withLock {
            $0.wallMilliseconds += Int64(seconds * 1_000)
            $0.bootMilliseconds += Int64(seconds * 1_000)
        }
    }

    /// The boot clock begins again at nothing; the wall clock goes on, after a while in the dark.
    func reboot(off seconds: Double) {
        let passed = virtual.now.offset.wholeMilliseconds
        state.withLock {
            $0.bootID += "'"
            $0.bootMilliseconds = -passed
            $0.wallMilliseconds += Int64(seconds * 1_000)
        }
    }
}
