import DurableOutbox
import Foundation
import GRDB
import OakumTestKit
import Testing

/// The real process, killed for real, at every waypoint and anywhere else. FULL=1 does it a hundred times as often.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct KillTests {
    @Test(arguments: Waypoint.allCases)
    func `killed at a waypoint, nothing accepted is lost, and nothing comes more than once too often`(
        waypoint: Waypoint
    )
        async throws
    {
        var kills = 0
        try await forAll(seeds: often(3)) { generator in
            let death = KilledProcess.Death.at(label: waypoint.rawValue, occurrence: generator.int(1...2))
            kills += try await Self.check(seed: generator.next(), death: death)
        }
        #expect(kills > 0, "the waypoint was never reached")
    }

    @Test func `killed at any other moment, nothing accepted is lost, and nothing comes more than once too often`()
        async throws
    {
        try await forAll(seeds: often(20)) { generator in
            let death = KilledProcess.Death.afterEvents(
                generator.int(1...60), milliseconds: Int32(generator.int(0...5)))
            _ = try await Self.check(seed: generator.next(), death: death)
        }
    }

    /// One run: messages, a kill, and a second life in which whoever got no answer comes again. Returns the number of
    /// kills.
    private static func check(seed: UInt64, death: KilledProcess.Death) async throws -> Int {
        try await withTemporaryFolder { folder in
            let result = try await onThread { try live(folder, seed, death) }
            let (process, messages, acknowledged) = result
            let extra = process.taken.filter { $0.value > 1 }
            #expect(Set(process.taken.keys) == Set(messages), "seed \(seed)")
            #expect(extra.values.allSatisfy { $0 <= 1 + process.kills }, "seed \(seed): \(extra)")
            let database = try DatabaseQueue(path: folder.file("outbox.sqlite"))
            let (heard, acknowledgements) = try await database.read { db in
                (
                    try String.fetchAll(db, sql: "SELECT id FROM heard WHERE state = 2 ORDER BY id"),
                    try String.fetchSet(db, sql: "SELECT id FROM acknowledged")
                )
            }
            #expect(heard == messages.sorted(), "seed \(seed): every outcome is heard once")
            #expect(acknowledgements == acknowledged, "seed \(seed)")
            return process.kills
        }
    }

    private static func live(
        _ folder: TemporaryFolder, _ seed: UInt64, _ death: KilledProcess.Death
    ) throws -> (KilledProcess, [String], Set<String>) {
        var generator = SeededGenerator(seed: seed)
        var process = try KilledProcess(folder: folder, seed: generator.next())
        defer { process.end() }
        let messages = (0..<6).map { number in
            KilledProcess.Message(
                id: "m\(number)", destination: generator.pick(["keyed", "plain"]) ?? "", priority: number % 3,
                thread: generator.chance(0.5) ? "t" : "-")
        }
        try process.run(messages, acknowledging: ["i1", "i2"], death: death)
        let early = process.acknowledged
        try process.run(messages, acknowledging: ["i1", "i2"], death: nil)
        guard process.accepted.count == messages.count, process.acknowledged.isSuperset(of: early) else {
            throw TestKitError("accepted \(process.accepted)")
        }
        return (process, messages.map(\.id), process.acknowledged)
    }
}

/// Runs what blocks on a thread of its own.
private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
