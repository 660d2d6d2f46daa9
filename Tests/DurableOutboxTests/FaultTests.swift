import DurableOutbox
import GRDB
import Glibc
import OakumTestKit
import Testing

/// Full disks and damaged files.
@Suite(.timeLimit(.minutes(2)))
struct FaultTests {
    private let machine = Machine()

    /// Leaves no room for anything more, without a disk of its own.
    private func limit(_ bench: Bench, pages: Int?) throws {
        try bench.database.writeWithoutTransaction { db in
            let now = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages.map { now + $0 } ?? 1_000_000)")
        }
    }

    @Test
    func `a full database refuses new messages with a reason to say 503, and takes them again when there is room`()
        throws
    {
        let bench = try Bench(clock: machine.clock)
        try limit(bench, pages: 10)
        var taken = 0
        let failure = #expect(throws: OutboxError.self) {
            for number in 0..<1000 {
                try bench.enqueue(message("m\(number)", payload: [UInt8](repeating: 7, count: 3000)))
                taken += 1
            }
        }
        guard case .diskFull = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(try bench.counts() == OutboxCounts(waiting: taken))
        try limit(bench, pages: nil)
        #expect(try bench.enqueue(message("m\(taken)")) == [.queued])
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a full disk stops intake, not delivery, and nothing is sent twice`() async throws {
        try await withSmallDisk(kibibytes: 1024) { disk in
            let bench = try Bench(path: disk.file("outbox.sqlite"), clock: machine.clock)
            let receiver = FakeReceiver(machine.virtual) { message, attempt in
                switch message.id {
                case "again" where attempt < 4: .again(after: nil, words: "503")
                case "hangs": nil
                default: .delivered(receipt: nil)
                }
            }
            let notices = Recorder<OutboxNotice>()
            let settings = OutboxSettings(schedule: RetrySchedule(steps: [.seconds(10)], jitter: 0))
            try await bench.delivering(to: receiver, settings: settings, machine: machine, notices: notices) {
                stepper in
                try bench.enqueue(
                    message("again", notBefore: .seconds(5)), message("a", thread: "t", notBefore: .seconds(5)),
                    message("b", thread: "t", notBefore: .seconds(5)), message("hangs"))
                try stepper.settle()
                try disk.fill()
                try fillLog(bench)
                #expect(throws: (any Error).self) { try bench.enqueue(message("late")) }
                try stepper.advance(by: .seconds(60))
                #expect(receiver.ids.filter { $0 != "hangs" } == ["again", "a", "b", "again", "again", "again"])
                #expect(try bench.unheard() == [])
                let troubles = notices.values.filter { if case .trouble = $0 { true } else { false } }
                #expect(troubles.count == 1, "\(notices.values)")
                disk.makeRoom()
                try stepper.advance(by: .seconds(2))
                #expect(notices.values.contains(.recovered))
                #expect(Set(try bench.unheard().map(\.id)) == ["again", "a", "b"])
                #expect(try bench.unheard().first { $0.id == "again" }?.attempts == 4)
            }
            #expect(try bench.counts().delivered == 3)
            #expect(receiver.sent.filter { $0.id == "hangs" }.map(\.attempt).first == 1)
        }
    }

    /// The log may have room left inside its file: use it up.
    private func fillLog(_ bench: Bench) throws {
        for _ in 0..<10_000 {
            do {
                try bench.execute("UPDATE outbox_clock SET anchor_wall_ms = anchor_wall_ms + 1")
            } catch {
                return
            }
        }
        throw TestKitError("the disk does not get full")
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a disk that is full at the start delivers what there is`() async throws {
        try await withSmallDisk(kibibytes: 1024) { disk in
            let bench = try Bench(path: disk.file("outbox.sqlite"), clock: machine.clock)
            let hanging = FakeReceiver(machine.virtual) { _, _ in nil }
            try bench.enqueue(message("a"), message("b"))
            // The claim of a process that died.
            try bench.execute("UPDATE outbox_messages SET state = 1, attempts = 1 WHERE id = 'a'")
            try disk.fill()
            try fillLog(bench)
            let receiver = FakeReceiver(machine.virtual)
            let notices = Recorder<OutboxNotice>()
            try await bench.delivering(to: receiver, machine: machine, notices: notices) { stepper in
                try stepper.advance(by: .seconds(30))
                #expect(receiver.ids.sorted() == ["a", "b"])
                disk.makeRoom()
                try stepper.advance(by: .seconds(2))
                #expect(try bench.counts() == OutboxCounts(delivered: 2, unheard: 2))
            }
            #expect(hanging.sent == [])
            #expect(receiver.sent.first { $0.id == "a" }?.attempt == 2)
            #expect(notices.values.first == .deserted(1))
        }
    }

    @Test func `what is known in memory alone is bounded, and then nothing more is sent until there is room`()
        async throws
    {
        let bench = try Bench(clock: machine.clock)
        let receiver = FakeReceiver(machine.virtual)
        var settings = OutboxSettings()
        settings.maximumUnwritten = 8
        for number in 0..<100 { try bench.enqueue(message("m\(number)")) }
        // A trigger stands for any failure that may pass.
        try bench.execute(
            """
            CREATE TRIGGER fails BEFORE UPDATE ON outbox_messages
            BEGIN SELECT RAISE(ABORT, 'no luck today'); END
            """)
        try await bench.delivering(to: receiver, settings: settings, machine: machine) { stepper in
            try stepper.advance(by: .seconds(60))
            #expect(receiver.sent.count >= 8)
            #expect(receiver.sent.count < 8 + 4)
            try bench.execute("DROP TRIGGER fails")
            try stepper.advance(by: .seconds(2))
        }
        #expect(Set(receiver.ids).count == 100)
        #expect(receiver.ids.count == 100)
        #expect(try bench.counts() == OutboxCounts(delivered: 100, unheard: 100))
    }

    @Test func `a damaged file ends the run with its reason and is left as it is`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("outbox.sqlite")
            let bench = try Bench(path: path, clock: machine.clock)
            for number in 0..<200 {
                try bench.enqueue(message("m\(number)", payload: [UInt8](repeating: 1, count: 2000)))
            }
            try bench.set("wal_checkpoint(TRUNCATE)")
            try bench.database.close()
            try overwrite(path, from: 4096)
            let database = try DatabaseQueue(path: path)
            let dispatcher = OutboxDispatcher(
                outbox: bench.outbox, database: database, sender: FakeReceiver(machine.virtual), clock: machine.virtual)
            let failure = await #expect(throws: OutboxError.self) { try await dispatcher.run() }
            guard case .unusable = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
        }
    }

    private func overwrite(_ path: String, from: Int) throws {
        let file = open(path, O_RDWR)
        try #require(file >= 0)
        defer { close(file) }
        let rubbish = [UInt8](repeating: 0xA5, count: 4096)
        for page in 0..<20 { #expect(pwrite(file, rubbish, rubbish.count, from + page * 4096) == rubbish.count) }
    }
}
