import Foundation
import Glibc
import OakumEngine
import OakumModel
import OakumTestKit
import SeriesStore
import Synchronization
import Testing

/// What the history does when the disk, the files or the process fail, and how much it keeps.
@Suite(.timeLimit(.minutes(10)))
struct HistoryFaultTests {
    private func fill(
        _ history: SegmentedHistoryStore, seconds: Range<Int>, workers: UInt32 = 2
    ) async throws(StoreError) {
        for second in seconds {
            let now = moment(Double(second))
            try await history.append((1...workers).map { stored($0, Int64(second) * 1000, at: now) }, at: now)
        }
    }

    private func names(_ folder: String, _ tier: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(tier) }.sorted()
    }

    @Test func `a restart carries on: nothing is lost and no bucket is counted twice`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("history")
            // Never closed: the files are as a killed process leaves them.
            var abandoned: [SegmentedHistoryStore] = []
            for run in 0..<5 {
                let history = try SegmentedHistoryStore(folder: path)
                #expect(history.damage == [])
                try await fill(history, seconds: (run * 217)..<((run + 1) * 217))
                abandoned.append(history)
            }
            let history = try SegmentedHistoryStore(folder: path)
            let samples = try await history.recent(process(1))
            #expect(samples.count == 901)
            #expect(samples.last?.rss == ByteCount(1084 * 1000))
            for width in [10.0, 300] {
                let found = try await history.buckets(
                    service: "web", since: moment(0).wall, bucketSeconds: width, limit: 10_000)
                let buckets = try #require(found.first).buckets
                let first = moment(0).wall.milliseconds
                let expected = Dictionary(grouping: 0..<1085) { second in
                    let wall = first + Int64(second) * 1000
                    return wall - wall % Int64(width * 1000)
                }
                #expect(buckets.map(\.start.milliseconds) == expected.keys.sorted())
                for bucket in buckets {
                    let seconds = try #require(expected[bucket.start.milliseconds])
                    #expect(bucket.floor == ByteCount(Int64(seconds.min() ?? 0) * 1000))
                    #expect(bucket.peak == ByteCount(Int64(seconds.max() ?? 0) * 1000))
                }
            }
            #expect(abandoned.count == 5)
        }
    }

    @Test func `a tail torn at any byte costs that record and nothing before it`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("history")
            try await fill(try SegmentedHistoryStore(folder: path), seconds: 0..<9)
            let file = path + "/" + (try #require(try names(path, "full").last))
            let whole = try Data(contentsOf: URL(filePath: file))
            var last = 9
            for length in stride(from: whole.count - 1, through: 0, by: -1) {
                try whole.prefix(length).write(to: URL(filePath: file))
                let history = try SegmentedHistoryStore(folder: path)
                let samples = try await history.recent(process(1))
                #expect(samples.map(\.rss) == (0..<samples.count).map { ByteCount(Int64($0) * 1000) })
                #expect((last - 1...last).contains(samples.count))
                last = samples.count
            }
            #expect(last == 0)
        }
    }

    @Test func `damage at random never crashes, and what is read is what was written`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("history")
            try await fill(try SegmentedHistoryStore(folder: path), seconds: 0..<700)
            let files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            #expect(files.count >= 6)
            let intact = try files.map { try [UInt8](Data(contentsOf: URL(filePath: "\(path)/\($0)"))) }
            try await forAll(seeds: 40) { generator in
                let damaged = folder.file("damaged-\(generator.next())")
                try FileManager.default.createDirectory(atPath: damaged, withIntermediateDirectories: false)
                for (name, bytes) in zip(files, intact) {
                    let content = generator.chance(0.5) ? generator.damaged(bytes) : bytes
                    try Data(content).write(to: URL(filePath: "\(damaged)/\(name)"))
                }
                let history: SegmentedHistoryStore
                do {
                    history = try SegmentedHistoryStore(folder: damaged)
                } catch {
                    // The version byte may be hit so that the header still has its checksum: one in four thousand million.
                    Issue.record("\(error)")
                    return
                }
                try await fill(history, seconds: 700..<720)
                for sample in try await history.recent(process(1)) {
                    #expect(sample.rss.bytes == Int64((sample.at.seconds - 5000).rounded()) * 1000)
                }
                let found = try await history.buckets(
                    service: "web", since: moment(0).wall, bucketSeconds: 1, limit: 10_000)
                let buckets = try #require(found.first).buckets
                #expect(buckets.allSatisfy { $0.floor <= $0.peak && $0.peak.bytes < 720_000 })
                #expect(buckets.suffix(20).map(\.peak) == (700..<720).map { ByteCount(Int64($0) * 1000) })
            }
        }
    }

    @Test func `a segment of a later format stops the start with a message`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("history")
            try await fill(try SegmentedHistoryStore(folder: path), seconds: 0..<3)
            let file = path + "/" + (try #require(try names(path, "full").last))
            var bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
            bytes[7] = 2
            var header = Data(bytes[..<16])
            withUnsafeBytes(of: crc(Array(header)).littleEndian) { header.append(contentsOf: $0) }
            try (header + Data(bytes[20...])).write(to: URL(filePath: file))
            let failure = #expect(throws: StoreError.self) { try SegmentedHistoryStore(folder: path) }
            #expect(failure?.isUnusable(naming: file) == true)
        }
    }

    @Test func `on a disk that fails at any byte, what was accepted is there and what was refused is not`() async throws
    {
        try await forAll(seeds: 40) { generator in
            let disk = FailingDisk(generator: generator)
            try await withTemporaryFolder { folder in
                let path = folder.file("history")
                let history = try SegmentedHistoryStore(folder: path, disk: disk.disk)
                var accepted: [ByteCount] = []
                for second in 0..<200 {
                    let now = moment(Double(second))
                    do throws(StoreError) {
                        try await history.append([stored(1, Int64(second), at: now)], at: now)
                        accepted.append(ByteCount(Int64(second)))
                    } catch {
                        #expect(error.isDiskFull)
                    }
                }
                #expect(accepted.count > 20 && accepted.count < 200)
                #expect(try await history.recent(process(1)).map(\.rss) == accepted)
                let next = try SegmentedHistoryStore(folder: path)
                #expect(try await next.recent(process(1)).map(\.rss) == accepted)
                let found = try await next.buckets(
                    service: "web", since: moment(0).wall, bucketSeconds: 10, limit: 1000)
                #expect(found.first?.buckets.map(\.floor).min() == accepted.min())
                #expect(found.first?.buckets.map(\.peak).max() == accepted.max())
            }
        }
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a really full disk gives a typed error, and writing resumes when there is room`() async throws {
        try await withSmallDisk(kibibytes: 256) { disk in
            let history = try SegmentedHistoryStore(folder: disk.file("history"))
            try await fill(history, seconds: 0..<20)
            try disk.fill()
            let failure = await #expect(throws: StoreError.self) { try await fill(history, seconds: 20..<500) }
            #expect(failure?.isDiskFull == true)
            let before = try await history.recent(process(1)).count
            #expect(before >= 20)
            disk.makeRoom()
            try await fill(history, seconds: 500..<520)
            #expect(try await history.recent(process(1)).count == before + 20)
        }
    }

    @Test func `age and size bound every tier, and each resolution ends where it should`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("history")
            let limits = HistoryLimits(
                fullSeconds: 120, shortSeconds: 1200, longSeconds: 12_000, maximumBytes: 1 << 20)
            let history = try SegmentedHistoryStore(folder: path, limits: limits)
            for second in stride(from: 0, to: 40_000, by: 5) {
                let now = moment(Double(second))
                try await history.append([stored(1, Int64(second), at: now)], at: now)
            }
            let samples = try await history.recent(process(1))
            #expect(samples.count == 25)
            let found = try await history.buckets(
                service: "web", since: moment(0).wall, bucketSeconds: 5, limit: 100_000)
            let starts = try #require(found.first).buckets.map {
                ($0.start.milliseconds - moment(0).wall.milliseconds) / 1000
            }
            // A segment is a sixth of its tier's time and goes as a whole, when another begins.
            #expect((23_500...28_000).contains(try #require(starts.first)))
            let gaps = zip(starts, starts.dropFirst()).map { $1 - $0 }
            #expect(gaps.first == 300)
            #expect(gaps.last == 5)
            #expect(gaps.contains(10))
            #expect(gaps.allSatisfy { $0 <= 300 })
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).count < 30)
        }
    }

    @Test func `the folder never outgrows its limit, however many processes come and go`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("history")
            var limits = HistoryLimits.standard
            limits.maximumBytes = 400_000
            let history = try SegmentedHistoryStore(folder: path, limits: limits)
            for second in 0..<3000 {
                let now = moment(Double(second))
                let number = UInt32(second / 3)
                try await history.append((0..<5).map { stored(number + $0, 1 << 30, at: now) }, at: now)
                if second % 100 == 0 {
                    let sizes = try FileManager.default.contentsOfDirectory(atPath: path).map { name in
                        try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.size] as? Int ?? 0
                    }
                    #expect(sizes.reduce(0, +) <= 400_000)
                }
            }
            let found = try await history.buckets(
                service: "web", since: moment(0).wall, bucketSeconds: 1, limit: 10)
            #expect(found.count <= 1000)
            #expect(found.last?.worker.number == 1003)
        }
    }

    @Test func `a hundred workers cost one small write a second`() async throws {
        try await withTemporaryFolder { folder in
            let writes = Recorder<Int>()
            let disk = SegmentDisk(
                write: { descriptor, bytes in
                    writes.record(bytes.count)
                    return SegmentDisk.system.write(descriptor, bytes)
                }, truncate: SegmentDisk.system.truncate)
            let history = try SegmentedHistoryStore(folder: folder.file("history"), disk: disk)
            try await fill(history, seconds: 0..<600, workers: 100)
            // A write a tick, one every ten seconds and one every five minutes.
            #expect(writes.values.count <= 600 + 60 + 2)
            let bytes = writes.values.reduce(0, +)
            #expect(bytes / 600 / 100 < 40, "\(bytes / 600) bytes a second")
        }
    }

    @Test func `absurd input is refused, not stored`() async throws {
        try await withTemporaryFolder { folder in
            let history = try SegmentedHistoryStore(folder: folder.file("history"))
            let now = moment(0)
            let long = String(repeating: "x", count: 2000)
            await #expect(throws: StoreError.self) {
                try await history.append([stored(1, 1, at: now, service: long)], at: now)
            }
            await #expect(throws: StoreError.self) {
                try await history.append((0..<70_000).map { stored($0, 1, at: now) }, at: now)
            }
            try await history.append([stored(1, 1, at: now)], at: now)
            #expect(try await history.recent(process(1)).count == 1)
        }
        #expect(throws: StoreError.self) { try SegmentedHistoryStore(folder: "/nowhere/at/all") }
    }

    /// CRC-32, written once more so that the format is checked against the standard and not against itself.
    private func crc(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = .max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1 }
        }
        return ~value
    }
}

/// A disk with phases of no room, in which a write gets anywhere from nothing to nearly all of its bytes through, and
/// taking the rest back sometimes fails as well.
private final class FailingDisk: Sendable {
    private struct State {
        var generator: SeededGenerator
        var remaining = 400
        var isFull = false
    }

    private let state: Mutex<State>

    init(generator: SeededGenerator) {
        state = Mutex(State(generator: generator))
    }

    var disk: SegmentDisk {
        SegmentDisk(
            write: { descriptor, bytes in
                let room = self.state.withLock { state -> Int in
                    if state.isFull, state.generator.chance(0.1) {
                        state.isFull = false
                        state.remaining = state.generator.int(100...3000)
                    }
                    let room = state.isFull ? 0 : min(state.remaining, bytes.count)
                    state.remaining -= room
                    state.isFull = state.isFull || room < bytes.count
                    return room
                }
                guard room > 0 else {
                    errno = ENOSPC
                    return -1
                }
                return SegmentDisk.system.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<room]))
            },
            truncate: { descriptor, length in
                guard self.state.withLock({ $0.generator.chance(0.8) }) else {
                    errno = EIO
                    return -1
                }
                return SegmentDisk.system.truncate(descriptor, length)
            })
    }
}
