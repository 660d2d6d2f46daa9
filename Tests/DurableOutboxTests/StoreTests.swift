import DurableOutbox
import GRDB
import Migrations
import OakumTestKit
import Testing

/// The tables: what the owner of an outbox sees.
@Suite(.timeLimit(.minutes(2)))
struct StoreTests {
    private struct Rollback: Error {}

    @Test func `a message is there with the change beside it, or not at all`() throws {
        let bench = try Bench(clock: Machine().clock)
        try bench.database.write { try $0.execute(sql: "CREATE TABLE facts (fact TEXT)") }
        #expect(throws: Rollback.self) {
            try bench.database.write { db in
                try db.execute(sql: "INSERT INTO facts VALUES ('x')")
                try bench.outbox.enqueue(message("a"), in: db)
                throw Rollback()
            }
        }
        #expect(try bench.counts() == OutboxCounts())
        #expect(try bench.enqueue(message("a")) == [.queued])
        #expect(try bench.counts() == OutboxCounts(waiting: 1))
    }

    @Test func `outside a transaction nothing is taken`() throws {
        let bench = try Bench(clock: Machine().clock)
        #expect(throws: OutboxError.self) {
            try bench.database.writeWithoutTransaction { try bench.outbox.enqueue(message("a"), in: $0) }
        }
        #expect(try bench.counts() == OutboxCounts())
    }

    @Test func `the outbox can be any step of its owner's schema`() throws {
        let database = try DatabaseQueue()
        let plan = MigrationPlan([
            Migration(number: 1, name: "own", sql: "CREATE TABLE own (a TEXT) STRICT"), Outbox.migration(number: 2),
        ])
        #expect(try plan.apply(to: database) == [1, 2])
        #expect(try plan.apply(to: database) == [])
    }

    @Test(arguments: [
        message(""), message(String(repeating: "x", count: 201)), message("a", to: ""),
        message("a", thread: String(repeating: "x", count: 301)), message("a", notBefore: .seconds(-1)),
        message("a", giveUpAfter: .zero), message("a", notBefore: .seconds(10), giveUpAfter: .seconds(10)),
        message("a", giveUpAfter: .seconds(86_400 * 31)), message("a", payload: [UInt8](repeating: 0, count: 300_000)),
    ])
    func `a message beyond its bounds is refused`(message: OutboxMessage) throws {
        let bench = try Bench(clock: Machine().clock)
        #expect(throws: OutboxError.self) { try bench.enqueue(message) }
        #expect(try bench.counts() == OutboxCounts())
    }

    @Test func `a full outbox says so, keeps a tenth for first messages, and what nobody heard of counts`() throws {
        let bench = try Bench(clock: Machine().clock, bounds: Outbox.Bounds(messages: 10))
        for number in 0..<10 { try bench.enqueue(message("m\(number)")) }
        #expect(throws: OutboxError.tooMany(limit: 10)) { try bench.enqueue(message("more")) }
        #expect(try bench.enqueue(message("first", priority: .first)) == [.queued])
        #expect(throws: OutboxError.tooMany(limit: 11)) { try bench.enqueue(message("second", priority: .first)) }
        #expect(try bench.enqueue(message("m0")) == [.known])
        #expect(try bench.withdraw("m0", "m1").withdrawn == ["m0", "m1"])
        #expect(try bench.enqueue(message("more")) == [.queued])
    }

    @Test func `withdrawing ends what waits, for good`() throws {
        let bench = try Bench(clock: Machine().clock)
        try bench.enqueue(message("a"), message("b"))
        #expect(try bench.withdraw("a", "nobody").withdrawn == ["a"])
        #expect(try bench.withdraw("a") == Outbox.Withdrawal())
        #expect(try bench.enqueue(message("a")) == [.known])
        #expect(try bench.pending().map(\.id) == ["b"])
        // The owner knows: it did it itself.
        #expect(try bench.unheard() == [])
        #expect(try bench.database.read { try bench.outbox.outcome(id: "a", in: $0) }?.state == .withdrawn)
    }

    @Test func `pending tells who waits, and how long`() throws {
        let machine = Machine()
        let bench = try Bench(clock: machine.clock)
        try bench.enqueue(
            message("a", priority: .first, thread: "t", notBefore: .seconds(60)), message("b", to: "mail"))
        machine.virtual.advance(by: .seconds(15))
        machine.setWall(by: .seconds(-3600))
        let pending = try bench.pending()
        #expect(pending.map(\.id) == ["a", "b"])
        #expect(pending.map(\.dueIn) == [.seconds(45), .zero])
        #expect(pending.first?.priority == .first)
        #expect(pending.first?.thread == "t")
        #expect(pending.map(\.enqueuedAtMilliseconds) == [1_700_000_000_000, 1_700_000_000_000])
        let mail = try bench.database.read { try bench.outbox.pending(destination: "mail", limit: 9, in: $0) }
        #expect(mail.map(\.id) == ["b"])
        #expect(try bench.database.read { try bench.outbox.pending(limit: 1, in: $0) }.count == 1)
    }

    @Test func `pruning takes heard final messages by age and number, and nothing else`() throws {
        let machine = Machine()
        let bench = try Bench(clock: machine.clock)
        for number in 0..<10 {
            try bench.enqueue(message("m\(number)"))
            _ = try bench.withdraw("m\(number)")
            machine.virtual.advance(by: .seconds(10))
        }
        try bench.enqueue(message("waits"))
        // The last of ten ended ten seconds ago.
        #expect(try bench.prune(.seconds(75), keeping: 100) == 3)
        #expect(try bench.prune(.seconds(75), keeping: 100) == 0)
        #expect(try bench.prune(.seconds(3600), keeping: 2) == 5)
        #expect(try bench.counts() == OutboxCounts(waiting: 1, withdrawn: 2))
        #expect(try bench.prune(.zero, keeping: 0) == 2)
        #expect(try bench.pending().map(\.id) == ["waits"])
    }

    @Test func `the counts are right after any sequence of acts`() async throws {
        try await forAll(seeds: often(3)) { generator in
            let bench = try Bench(clock: Machine().clock)
            for step in 0..<60 {
                let id = "m\(generator.int(0...20))"
                switch generator.int(0...3) {
                case 0, 1: try bench.enqueue(message(id, notBefore: .seconds(generator.int(0...5))))
                case 2: _ = try bench.withdraw(id)
                default: _ = try bench.prune(.zero, keeping: step % 7)
                }
                let counts = try bench.counts()
                let kept = [counts.waiting, counts.claimed, counts.delivered, counts.dead, counts.withdrawn]
                #expect(try kept == bench.counted())
            }
        }
    }
}
