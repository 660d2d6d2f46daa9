import Diagnosis
import Foundation  // clock_gettime
import OakumModel
import OakumTestKit
import Testing

@Suite struct TemplateMinerTests {
    private static let statements: [(String, @Sendable (inout SeededGenerator) -> String)] = [
        (
            "<*> info registrar: request_id=<*> answered <*> in <*> ms",
            {
                "2026-11-21T18:20:\($0.int(10...59))+0000 info registrar: request_id=\($0.int(1...9_999))a answered "
                    + "\($0.int(200...503)) in \($0.int(1...90)).\($0.int(0...9)) ms"
            }
        ),
        (
            "<*> warning registrar: scanned <*> profiles of <*>.example",
            {
                "2026-11-21T18:20:11+0000 warning registrar: scanned \($0.int(1...1_000_000)) profiles of "
                    + "\($0.int(1...9))-\($0.int(1...9)).example"
            }
        ),
        ("session closed by <*>", { "session closed by user\($0.int(1...9_999))@example.org" }),
        ("connect to <*> failed: timed out", { "connect to 127.0.0.1:\($0.int(1_024...60_000)) failed: timed out" }),
    ]

    @Test func `lines of one statement are one template`() {
        var miner = TemplateMiner()
        var generator = SeededGenerator(seed: 3)
        var written: [String: Int] = [:]
        for _ in 0..<2_000 {
            guard let (template, line) = generator.pick(Self.statements) else { continue }
            miner.add(line(&generator), at: 10)
            written[template, default: 0] += 1
        }
        let found = Dictionary(uniqueKeysWithValues: miner.patterns.map { ($0.template, $0.total) })
        #expect(found.count == written.count)
        for (template, count) in written { #expect(found[template] == count, "\(template) in \(found)") }
    }

    @Test func `words that differ become a wildcard`() {
        var miner = TemplateMiner()
        let ids = ["alice", "bob", "carol"].map { miner.add("login of \($0) was refused for good", at: 1) }
        #expect(Set(ids).count == 1)
        #expect(miner.patterns.first?.template == "login of <*> was refused for good")
        #expect(miner.add("login of dave has succeeded at last", at: 1) != ids[0])
    }

    @Test func `addresses, tokens and identifiers are never kept`() {
        var miner = TemplateMiner()
        miner.add(
            "mail to someone@example.org with token=8f3a9c2e71 and key \(String(repeating: "k", count: 60))", at: 1)
        let text = miner.patterns.map(\.template).joined()
        #expect(text == "mail to <*> with token=<*> and key <*>")
    }

    @Test func `lines are counted in the bucket of their time`() {
        var limits = MinerLimits.standard
        limits.bucketSeconds = 10
        limits.buckets = 6
        var miner = TemplateMiner(limits: limits)
        for time in [101.0, 105, 119, 131] { miner.add("tick", at: time) }
        // Late: it counts now, in no past bucket.
        miner.add("tick", at: 90)
        #expect(miner.patterns[0].counts.map(\.value) == [2, 1, 0, 2])
        #expect(miner.patterns[0].counts.map(\.seconds) == [105, 115, 125, 135])
        miner.add("tick", at: 1_000)
        #expect(miner.patterns[0].counts.map(\.value) == [0, 0, 0, 0, 0, 1])
        #expect(miner.patterns[0].total == 6)
        #expect(miner.add("tick", at: .nan) == nil)
    }

    @Test func `a flood of new shapes stays within the limits and hides no count`() async throws {
        try await forAll(seeds: 8) { generator in
            var limits = MinerLimits.standard
            limits.templates = generator.int(4...40)
            limits.alike = generator.int(2...10)
            limits.buckets = 12
            var miner = TemplateMiner(limits: limits)
            var counted = 0
            for index in 0..<1_500 {
                let length = generator.int(1...70)
                let words = (0..<length).map { _ in String(UnicodeScalar(UInt8(97 + generator.int(0...25)))) }
                if miner.add(words.joined(separator: " "), at: Double(index) / 10) != nil { counted += 1 }
                // What is frequent survives the flood.
                if index.isMultiple(of: 5), miner.add("the regular line of the service", at: Double(index) / 10) != nil
                {
                    counted += 1
                }
            }
            let patterns = miner.patterns
            #expect(patterns.count <= limits.templates + 1)
            #expect(patterns.map(\.total).reduce(0, +) == counted)
            #expect(patterns.contains { $0.template == "the regular line of the service" && $0.total == 300 })
            #expect(miner.forgotten > 0)
        }
    }

    @Test func `no bytes are too hostile`() async throws {
        try await forAll(seeds: 60) { generator in
            let limits = MinerLimits(
                templates: 20, alike: 4, words: 12, lineBytes: 200, wordBytes: 24, bucketSeconds: 1, buckets: 4,
                likeness: 0.6)
            var miner = TemplateMiner(limits: limits)
            for _ in 0..<60 {
                var bytes: [UInt8]
                switch generator.int(0...3) {
                case 0: bytes = generator.bytes(generator.int(0...400))
                case 1: bytes = Array(repeating: UInt8(generator.int(0...255)), count: generator.int(0...5_000))
                case 2: bytes = Array("<*> \u{0} <*><*> =\u{7F}= ] \u{1B}[31m %s %n 𝔘𝔫𝔦 \(generator.int(0...9))".utf8)
                default: bytes = generator.damaged(Array("info registrar: request_id=17 answered 200 in 3 ms".utf8))
                }
                if generator.chance(0.3) { bytes.reverse() }
                miner.add(bytes.span, at: generator.chance(0.1) ? .infinity : generator.double(-1e6..<1e6))
            }
            for pattern in miner.patterns {
                #expect(pattern.template.utf8.count <= 3 * (limits.lineBytes + 3 * limits.words))
                #expect(pattern.template.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
                #expect(pattern.counts.count <= limits.buckets)
            }
        }
    }

    /// For information: what a flood of ordinary lines costs.
    @Test func `throughput`() {
        var generator = SeededGenerator(seed: 9)
        let lines = (0..<4_000).map { _ in
            Array((generator.pick(Self.statements)?.1(&generator) ?? "").utf8)
        }
        var miner = TemplateMiner()
        let start = Self.processorSeconds()
        for (index, line) in lines.enumerated() { miner.add(line.span, at: Double(index)) }
        let seconds = Self.processorSeconds() - start
        print("template miner: \(Int(Double(lines.count) / seconds)) lines a second")
        #expect(miner.patterns.map(\.total).reduce(0, +) == lines.count)
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
