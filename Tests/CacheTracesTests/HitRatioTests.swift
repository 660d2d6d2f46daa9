import BoundedCache
import CacheTraces
import Testing

/// The hit ratios that `make bench-cache` shows on all traces, on those that are small enough to lie here.
///
/// The figures to reach are those of libCacheSim 0.3.5 (S3-FIFO) and of Caffeine's laws of 2026 (adaptive W-TinyLFU).
@Suite(.timeLimit(.minutes(3)))
struct HitRatioTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var trace: String
        var size: Int
        var s3fifo: Double
        var adaptiveTinyLFU: Double

        var testDescription: String { "\(trace)/\(size)" }
    }

    static let rows = [
        Row(trace: "gli", size: 500, s3fifo: 30.54, adaptiveTinyLFU: 33.18),
        Row(trace: "gli", size: 1_000, s3fifo: 44.34, adaptiveTinyLFU: 50.81),
        Row(trace: "gli", size: 1_500, s3fifo: 53.00, adaptiveTinyLFU: 53.57),
        Row(trace: "multi1", size: 1_000, s3fifo: 61.24, adaptiveTinyLFU: 68.34),
        Row(trace: "multi1", size: 1_500, s3fifo: 75.51, adaptiveTinyLFU: 79.88),
        Row(trace: "cs", size: 1_000, s3fifo: 39.37, adaptiveTinyLFU: 58.16),
        Row(trace: "ps", size: 1_000, s3fifo: 65.29, adaptiveTinyLFU: 66.25),
        Row(trace: "zigzag", size: 500, s3fifo: 2.40, adaptiveTinyLFU: 21.09),
    ]

    @Test(arguments: rows)
    func `the default is as good as S3-FIFO`(row: Row) throws {
        #expect(try percent(row, .s3fifo) >= row.s3fifo - 0.2)
    }

    @Test(arguments: rows)
    func `adaptive is nearly as good as the better of S3-FIFO and W-TinyLFU`(row: Row) throws {
        #expect(try percent(row, .adaptive) >= max(row.s3fifo, row.adaptiveTinyLFU) - 1)
    }

    private func percent(_ row: Row, _ policy: EvictionPolicy) throws -> Double {
        let trace = TraceFile(path: try traces("public/lirs/\(row.trace).trace.gz"), format: .lirs)
        var simulator = PolicySimulator(policy: policy, capacity: row.size, seed: 1)
        var (hits, accesses) = (0, 0)
        try trace.forEach { access in
            accesses += 1
            if simulator.access(keyHash: access.key) { hits += 1 }
        }
        return 100 * Double(hits) / Double(max(accesses, 1))
    }
}
