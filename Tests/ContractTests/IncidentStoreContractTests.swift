import DurableOutbox
import EngineTestKit
import GRDB
import IncidentStoreSQLite
import Incidents
import OakumAPI
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// What every store of incidents promises.
enum IncidentStoreKind: CaseIterable, CustomTestStringConvertible {
    case inMemory
    case sqlite

    var testDescription: String { "\(self)" }

    func run(_ body: (any IncidentStore & PageOutcomes) async throws -> Void) async throws {
        switch self {
        case .inMemory: try await body(InMemoryIncidents())
        case .sqlite:
            try await withTemporaryFolder { folder in
                try await body(
                    try SQLiteIncidentStore(path: folder.file("incidents.sqlite"), bootID: "boot-1"))
            }
        }
    }
}

private let moment = Moment(uptime: Uptime(seconds: 500), wall: WallTime(milliseconds: 1_700_000_000_000))

private func record(_ id: Int64, _ state: IncidentState = .open, service: String? = "web") -> IncidentRecord {
    var milestones = Milestones(detected: moment.wall)
    if state == .resolved { milestones.resolved = moment.wall }
    let incident = Incident(
        id: id, title: "“quoted” \u{1F6A2} #\(id)", service: service, kind: .errorRate, severity: .critical,
        state: state,
        fingerprint: "f\(id)", milestones: milestones, updated: moment.wall)
    var desk = DeskState(group: "service web", at: moment)
    desk.heldUntil = moment.uptime + 10
    return IncidentRecord(incident: incident, desk: desk)
}

private func page(_ id: String, _ incident: Int64? = 1) -> Page {
    Page(
        id: id, kind: .opened, incident: incident, channel: "paper", severity: .critical, title: "t", thread: "oak-1",
        at: moment.wall)
}

private func line(_ text: String, _ milliseconds: Int64) -> TimelineEntry {
    TimelineEntry(incident: 1, at: WallTime(milliseconds: milliseconds), kind: .note, text: text, by: "ada")
}

@Suite(.timeLimit(.minutes(10)))
struct IncidentStoreContractTests {
    @Test(arguments: IncidentStoreKind.allCases)
    func `what was committed is loaded again`(kind: IncidentStoreKind) async throws {
        try await kind.run { store in
            let silence = Silence(
                id: 4, service: "web", from: moment.wall,
                until: WallTime(milliseconds: moment.wall.milliseconds + 60_000),
                author: "ada", reason: "known")
            try await store.commit(
                [
                    .save(record(1)), .save(record(2, .resolved)),
                    .alert(incident: 1, fingerprint: "f1", isFiring: true),
                    .alert(incident: 1, fingerprint: "f1", isFiring: false), .silence(silence),
                ], at: moment)
            let stored = try await store.load(recent: 3_600, at: moment)
            #expect(stored.records == [record(1), record(2, .resolved)])
            #expect(stored.alerts == [.init(incident: 1, fingerprint: "f1", isFiring: false)])
            #expect(stored.silences == [silence])
            #expect(stored.nextIncident == 3 && stored.nextSilence == 5)
        }
    }

    @Test(arguments: IncidentStoreKind.allCases)
    func `incidents come newest first, by state, service and page`(kind: IncidentStoreKind) async throws {
        try await kind.run { store in
            try await store.commit(
                (1...6).map { .save(record($0, $0 % 2 == 0 ? .resolved : .open, service: $0 > 4 ? "other" : "web")) },
                at: moment)
            func ids(_ query: IncidentQuery) async throws -> [Int64] { try await store.incidents(query).map(\.id) }
            #expect(try await ids(IncidentQuery()) == [6, 5, 4, 3, 2, 1])
            #expect(try await ids(IncidentQuery(states: [.open])) == [5, 3, 1])
            #expect(try await ids(IncidentQuery(service: "web", before: 4, limit: 2)) == [3, 2])
        }
    }

    @Test(arguments: IncidentStoreKind.allCases)
    func `a report holds the timeline in order and its pages with what became of them`(kind: IncidentStoreKind)
        async throws
    {
        try await kind.run { store in
            try await store.commit(
                [
                    .save(record(1)), .line(line("second", 2_000)), .line(line("first", 1_000)),
                    .send(page("oak-1-1"), urgent: true, delay: 0), .send(page("oak-1-1"), urgent: true, delay: 0),
                    .send(page("oak-t", nil), urgent: false, delay: 60), .withdraw(["oak-t"]),
                ], at: moment)
            let report = try #require(try await store.report(1))
            #expect(report.incident == record(1).incident)
            #expect(report.timeline.map(\.text) == ["first", "second"])
            #expect(report.deliveries.map(\.page.id) == ["oak-1-1"])
            #expect(report.deliveries.map(\.state) == [.waiting])
            #expect(try await store.report(2) == nil)
            #expect(try await store.deliveries(limit: 10).map(\.state) == [.withdrawn, .waiting])
        }
    }

    @Test func `an outcome is told until somebody has taken note, and kept when the outbox has forgotten it`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let store = try SQLiteIncidentStore(path: folder.file("incidents.sqlite"), bootID: "boot-1")
            try await store.commit([.save(record(1)), .send(page("oak-1-1"), urgent: true, delay: 0)], at: moment)
            let dispatcher = OutboxDispatcher(
                outbox: store.outbox, database: store.database, sender: Postman(), clock: ContinuousClock())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await dispatcher.run() }
                try await eventually("the outcome", holds: { try await store.outcomes(limit: 10).count == 1 })
                dispatcher.stop()
                try await group.waitForAll()
            }
            let outcome = try #require(try await store.outcomes(limit: 10).first)
            #expect(outcome.page == "oak-1-1" && outcome.result == .delivered && outcome.words == "slip 7")
            try await store.commit([.heard(["oak-1-1"])], at: moment)
            #expect(try await store.outcomes(limit: 10).isEmpty)
            try await store.database.write { db in
                try db.execute(sql: "DELETE FROM outbox_messages")
            }
            let delivery = try #require(try await store.deliveries(limit: 1).first)
            #expect(delivery.state == .delivered && delivery.words == "slip 7" && delivery.attempts == 1)
        }
    }

    @Test func `after a reboot waiting times go on from where the wall clock says`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("incidents.sqlite")
            do {
                let store = try SQLiteIncidentStore(path: path, bootID: "boot-1")
                try await store.commit([.save(record(1))], at: moment)
                try store.close()
            }
            let later = Moment(
                uptime: Uptime(seconds: 20), wall: WallTime(milliseconds: moment.wall.milliseconds + 4_000))
            let store = try SQLiteIncidentStore(path: path, bootID: "boot-2")
            let desk = try #require(try await store.load(recent: 3_600, at: later).records.first?.desk)
            #expect(desk.heldUntil == Uptime(seconds: 26))
            #expect(desk.savedAt == later)
        }
    }

    @Test func `a full disk refuses the whole change, and goes on when there is room`() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteIncidentStore(
                path: folder.file("incidents.sqlite"), bootID: "b", maximumBytes: 200 << 10)
            var refused = false
            for id in 1...200 where !refused {
                do throws(StoreError) {
                    let text = String(repeating: "x", count: 3_000)
                    try await store.commit([.save(record(Int64(id))), .line(line(text, 1))], at: moment)
                } catch {
                    guard case .diskFull = error else { throw error }
                    refused = true
                    #expect(try await store.report(Int64(id)) == nil)
                }
            }
            #expect(refused)
        }
    }
}

private struct Postman: OutboxSender {
    func send(_ message: OutboxMessage, attempt: Int, waypoints: Waypoints) async -> OutboxAnswer {
        .delivered(receipt: "slip 7")
    }
}
