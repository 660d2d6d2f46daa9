import Glibc
import HeapProfile
import OakumModel
import OakumTestKit
import Synchronization
import Testing

#if DEBUG
    private let runs: UInt64 = 60
    private let leastCoverage = 0.9
#else
    private let runs: UInt64 = 2000
    private let leastCoverage = 0.94
#endif

/// Known truths, simulated: does the interval hold the truth as often as it says, and is the verdict right?
@Suite(.timeLimit(.minutes(10)))
struct SurvivalSimulationTests {
    static let sites: [SimulatedSite] = [
        .init("all leaks", watched: 120, samples: 100, .never, expected: .leaks),
        .init("all leaks, seen for half a minute", watched: 30, samples: 40, .never, expected: .leaks),
        .init("requests", watched: 300, samples: 200, .exponential(0.05), expected: .turnsOver),
        .init("requests of 2 s", watched: 300, samples: 200, .exponential(2), expected: .turnsOver),
        .init("10 % of requests leak", watched: 300, samples: 400, .leaking(0.1, .exponential(2)), expected: .leaks),
        .init("half of requests leak", watched: 60, samples: 60, .leaking(0.5, .exponential(1)), expected: .leaks),
        .init("cache, exponential", watched: 600, samples: 300, .exponential(30), expected: .turnsOver),
        .init("cache, uniform", watched: 600, samples: 300, .uniform(60), expected: .turnsOver),
        .init("cache with a fixed time to live", watched: 600, samples: 300, .fixed(100), expected: .turnsOver),
        .init("young cache, exponential", watched: 60, samples: 200, .exponential(30), expected: .notEnoughData),
        .init(
            "young cache with a fixed time to live", watched: 110, samples: 200, .fixed(100),
            expected: .notEnoughData),
        .init("10 % leak beside a cache", watched: 600, samples: 500, .leaking(0.1, .fixed(45)), expected: .leaks),
        .init("20 samples leak", watched: 60, samples: 20, .never, expected: .leaks),
        .init(
            "10 % leak, traffic grows eightfold", watched: 300, samples: 400, .leaking(0.1, .exponential(2)),
            expected: .leaks, born: { generator, _ in eightfold(&generator) }),
        .init(
            "cache, traffic grows eightfold", watched: 600, samples: 300, .exponential(20), expected: .turnsOver,
            born: { generator, _ in eightfold(&generator) }),
        .init(
            "10 % leak, sizes differ", watched: 300, samples: 400, .leaking(0.1, .exponential(2)), expected: .leaks,
            sizes: [64, 4096, 300_000, 2_000_000]),
        .init(
            "a batch leaks every 10 s", watched: 120, samples: 400, .never, expected: .leaks,
            born: { generator, _ in (generator.double(0..<12).rounded(.down) + generator.double(0..<0.02)) / 12 }),
        .init(
            "a fifth of each batch leaks", watched: 125, samples: 400, .leaking(0.2, .exponential(3)), expected: .leaks,
            born: { generator, _ in (generator.double(0..<4).rounded(.down) + generator.double(0..<0.02)) / 4 }),
        .init(
            "tables made at the start", watched: 300, samples: 60, .never, expected: .settled,
            born: { generator, _ in generator.double(0..<0.02) }),
        .init(
            "a warm-up of a minute", watched: 180, samples: 60, .never, expected: .settled,
            born: { generator, _ in generator.double(0..<0.35) }),
        // What is asked for again and again comes early and stays; the rest turns over.
        .init(
            "cache with a hot set", watched: 600, samples: 400, .leaking(0.1, .exponential(20)), expected: .settled,
            born: { generator, lifetime in generator.double(0..<(lifetime.isFinite ? 1 : 0.1)) }),
    ]

    /// Births in traffic that grows exponentially, to eight times as much at the end.
    private static func eightfold(_ generator: inout SeededGenerator) -> Double {
        1 + log(generator.double(0.125..<1)) / log(8)
    }

    @Test(arguments: sites)
    func `intervals hold their rate and verdicts are right`(simulated: SimulatedSite) async throws {
        let coverage = Coverage()
        let verdicts = Mutex<[SiteVerdictCode: Int]>([:])
        try await forAll(seeds: runs) { generator in
            let site = try #require(simulated.site(&generator))
            verdicts.withLock { $0[site.verdict.code, default: 0] += 1 }
            guard let survival = site.survival else { return }
            coverage.note(survival.neverFreed, simulated.law.outliving(survival.horizonSeconds))
        }
        let counts = verdicts.withLock { $0 }
        let told = SiteVerdictCode.allCases.map { "\($0.rawValue) \(counts[$0] ?? 0)" }.joined(separator: ", ")
        print("\(simulated.name): \(coverage.text()); \(told); seeds 1 to \(runs)")
        // Who stays is not independent of when it was born there: then no interval can promise anything.
        if simulated.name != "cache with a hot set" { #expect(coverage.rate() >= leastCoverage) }
        guard let expected = simulated.expected else { return }
        #expect(Double(counts[expected] ?? 0) >= 0.95 * Double(runs))
        if expected != .leaks { #expect(Double(counts[.leaks] ?? 0) <= 0.005 * Double(runs)) }
    }
}
