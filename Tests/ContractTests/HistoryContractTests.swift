import EngineTestKit
import OakumEngine
import OakumModel
import OakumTestKit
import SeriesStore
import Testing

/// What every history promises. Runs on the fake that the engine's tests use as well.
enum HistoryKind: CaseIterable, CustomTestStringConvertible {
    case inMemory
    case segments

    var testDescription: String { "\(self)" }

    func run(_ body: (any HistoryStore) async throws -> Void) async throws {
        switch self {
        case .inMemory: try await body(InMemoryHistory())
        case .segments:
            try await withTemporaryFolder { folder in
                try await body(try SegmentedHistoryStore(folder: folder.file("history")))
            }
        }
    }
}

/// Seconds after a fixed instant; wall clock and uptime run together.
func moment(_ seconds: Double) -> Moment {
    Moment(
        uptime: Uptime(seconds: 5000 + seconds), wall: WallTime(milliseconds: 1_700_000_000_000 + Int64(seconds * 1000))
    )
}

func process(_ number: UInt32) -> ProcessIdentity {
    ProcessIdentity(pid: Int32(1000 + number), startTicks: UInt64(number) * 100)
}

func stored(_ number: UInt32, _ rss: Int64, at moment: Moment, service: String = "web") -> StoredSample {
    StoredSample(
        worker: WorkerID(service: service, number: number), process: process(number),
        sample: Sample(at: moment.uptime, rss: ByteCount(rss)))
}

@Suite(.timeLimit(.minutes(10)))
struct HistoryContractTests {
    @Test(arguments: HistoryKind.allCases)
    func `samples come back as they went in, those of one process, rising`(kind: HistoryKind) async throws {
        try await kind.run { history in
            let other = ProcessIdentity(pid: process(1).pid, startTicks: 7)
            var expected: [Sample] = []
            for second in 0..<50 {
                let now = moment(Double(second))
                let sample = Sample(
                    at: now.uptime, rss: ByteCount(Int64(second) << 20),
                    anonymous: second % 2 == 0 ? ByteCount(-1) : nil, cpuSeconds: second % 3 == 0 ? 0.25 : nil,
                    threads: second % 5 == 0 ? 9 : nil, fileDescriptors: second % 7 == 0 ? 0 : nil,
                    requests: second % 4 == 0 ? 1e12 : nil)
                let worker = WorkerID(service: "web", number: 1)
                try await history.append(
                    [
                        StoredSample(worker: worker, process: process(1), sample: sample),
                        StoredSample(worker: worker, process: other, sample: Sample(at: now.uptime, rss: .zero)),
                    ], at: now)
                expected.append(sample)
            }
            #expect(try await history.recent(process(1)) == expected)
            #expect(try await history.recent(other).count == 50)
            #expect(try await history.recent(process(2)) == [])
        }
    }

    @Test(arguments: HistoryKind.allCases)
    func `buckets have the floor and the peak of their samples, and are at least as wide as asked`(
        kind: HistoryKind
    ) async throws {
        try await kind.run { history in
            for second in 0..<120 {
                let now = moment(Double(second))
                let swing = second % 2 == 0 ? Int64(500) : 0
                try await history.append(
                    [stored(1, Int64(second) * 1000 + swing, at: now), stored(2, 77, at: now)], at: now)
            }
            for width in [1.0, 5, 10, 30, 60] {
                let found = try await history.buckets(
                    service: "web", since: moment(0).wall, bucketSeconds: width, limit: 1000)
                #expect(found.map(\.worker.number) == [1, 2])
                let buckets = try #require(found.first).buckets
                let gaps = zip(buckets, buckets.dropFirst()).map { $1.start.milliseconds - $0.start.milliseconds }
                #expect(gaps.allSatisfy { $0 >= Int64(width * 1000) }, "width \(width)")
                #expect(buckets.count >= 2)
                #expect(buckets.map(\.floor).min() == ByteCount(500))
                #expect(buckets.map(\.peak).max() == ByteCount(119_000))
                #expect(buckets.allSatisfy { $0.floor <= $0.peak })
                #expect(found[1].buckets.allSatisfy { $0.floor == ByteCount(77) && $0.peak == ByteCount(77) })
            }
        }
    }

    @Test(arguments: HistoryKind.allCases)
    func `no process has more buckets than asked, and the whole time is covered`(kind: HistoryKind) async throws {
        try await kind.run { history in
            for second in 0..<300 {
                let now = moment(Double(second))
                try await history.append([stored(1, Int64(second), at: now)], at: now)
            }
            for limit in [1, 2, 7, 100] {
                let found = try await history.buckets(
                    service: "web", since: moment(0).wall, bucketSeconds: 1, limit: limit)
                let buckets = try #require(found.first).buckets
                #expect((1...limit).contains(buckets.count))
                #expect(buckets.last?.peak == ByteCount(299))
            }
            #expect(
                try await history.buckets(service: "web", since: moment(0).wall, bucketSeconds: 1, limit: 0) == [])
        }
    }

    @Test(arguments: HistoryKind.allCases)
    func `a service sees itself alone, and since means since`(kind: HistoryKind) async throws {
        try await kind.run { history in
            for second in 0..<60 {
                let now = moment(Double(second))
                try await history.append(
                    [stored(1, 1, at: now), stored(1, 2, at: now, service: "mail")], at: now)
            }
            let mail = try await history.buckets(
                service: "mail", since: moment(40).wall, bucketSeconds: 1, limit: 1000)
            #expect(mail.map(\.worker.service) == ["mail"])
            #expect(mail[0].buckets.count == 20)
            #expect(mail[0].buckets.first?.start == moment(40).wall)
            #expect(mail[0].buckets.allSatisfy { $0.peak == ByteCount(2) })
            #expect(try await history.buckets(service: "no", since: moment(0).wall, bucketSeconds: 1, limit: 9) == [])
            #expect(try await history.buckets(service: "web", since: moment(99).wall, bucketSeconds: 1, limit: 9) == [])
        }
    }

    @Test(arguments: HistoryKind.allCases)
    func `a wall clock that steps back loses nothing`(kind: HistoryKind) async throws {
        try await kind.run { history in
            for second in 0..<100 {
                var now = moment(Double(second))
                if second >= 50 { now.wall.milliseconds -= 3_600_000 }
                try await history.append([stored(1, Int64(second + 1), at: now)], at: now)
            }
            #expect(try await history.recent(process(1)).count == 100)
            let found = try await history.buckets(
                service: "web", since: moment(-7200).wall, bucketSeconds: 1, limit: 10_000)
            #expect(found.first?.buckets.map(\.floor).min() == ByteCount(1))
            #expect(found.first?.buckets.map(\.peak).max() == ByteCount(100))
        }
    }

    @Test(arguments: HistoryKind.allCases)
    func `an instant without samples is no error`(kind: HistoryKind) async throws {
        try await kind.run { history in
            try await history.append([], at: moment(0))
            try await history.append([stored(1, 1, at: moment(1))], at: moment(1))
            #expect(try await history.recent(process(1)).count == 1)
        }
    }
}
