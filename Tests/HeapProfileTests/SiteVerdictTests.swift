import HeapProfile
import OakumModel
import OakumTestKit
import Testing

/// What a verdict says, on lifetimes that can be followed by hand; SurvivalSimulationTests asks how often it is right.
struct SiteVerdictTests {
    /// A site watched for 1,000 s, in exact mode.
    private func site(
        ages: [Double], size: (Int) -> UInt64 = { _ in 100 }, freed: [(Double, UInt64)] = []
    ) -> Site? {
        var image = ExampleHeap.image(
            ages.enumerated().map { (UInt64($0 + 1) << 12, size($0), 1100 - $1, 3) }, observed: 1100)
        let buckets = freed.map { seconds, count in
            LifetimeBucket(index: LifetimeBucket.index(ofSeconds: seconds), count: count, weight: Double(count) * 100)
        }
        if !freed.isEmpty {
            let count = freed.reduce(0) { $0 + $1.1 }
            image.freed = [FreedLifetimes(stack: 3, count: count, bytes: count * 100, buckets: buckets)]
        }
        return HeapProfile(image, frames: ExampleHeap.frames).sites.first
    }

    private let evenly = stride(from: 1.0, to: 1000, by: 10).map { $0 }

    @Test func `what is never freed leaks, with its rate`() throws {
        let verdict = try #require(site(ages: evenly)?.verdict)
        #expect(verdict.code == .leaks)
        #expect(verdict.reason.hasPrefix("none of its 100 samples was freed"))
        let rate = try #require(verdict.leakBytesPerSecond)
        #expect(abs(rate.estimate - 10) < 0.5)
    }

    @Test func `a share that stays is told with its interval`() throws {
        let site = try #require(self.site(ages: evenly, freed: [(0.5, 300), (2, 100)]))
        #expect(site.verdict.code == .leaks)
        #expect(site.verdict.reason.hasPrefix("20 % (1"))
        let survival = try #require(site.survival)
        #expect(survival.freedSamples == 400 && survival.liveSamples == 100)
        #expect(survival.neverFreed.low > 0.15 && survival.neverFreed.high < 0.26)
        #expect(survival.curve.map(\.share.estimate) == survival.curve.map(\.share.estimate).sorted(by: >))
        #expect(survival.medianSeconds.map { $0 < 1 } == true)
    }

    @Test func `what is freed after a time turns over`() throws {
        let site = try #require(self.site(ages: [1, 3, 5, 8, 9], freed: [(7, 500), (11, 500)]))
        #expect(site.verdict.code == .turnsOver)
        #expect(site.verdict.reason.contains("of its bytes are freed within"))
        #expect(site.verdict.leakBytesPerSecond == nil)
    }

    @Test func `what was made at the start has settled`() throws {
        var early: [(UInt64, UInt64, Double, Int)] = []
        for index in 0..<50 { early.append((UInt64(index + 1) << 12, 100, 101 + Double(index) / 10, 3)) }
        var image = ExampleHeap.image(early, observed: 1100)
        image.live.append(
            AllocationRecord(address: 1, size: 1, weight: 1, bornNanoseconds: 1_099_000_000_000, stack: 1))
        let verdict = HeapProfile(image, frames: ExampleHeap.frames).sites.first?.verdict
        #expect(verdict?.code == .settled)
        #expect(verdict?.reason.hasPrefix("nothing that stays was added in the last") == true)
    }

    @Test func `few samples are not enough, and it is said`() {
        #expect(site(ages: [5, 900])?.verdict.code == .notEnoughData)
        #expect(site(ages: [5, 900])?.verdict.reason == "fewer than 3 samples at any age")
        #expect(site(ages: [500, 600, 700, 800])?.verdict.code == .notEnoughData)
    }

    @Test func `one block that is nearly all is said to be one`() {
        let grown = site(ages: [600, 5, 4], size: { $0 == 0 ? 8 << 20 : 100 }, freed: [(300, 1), (100, 1), (10, 1)])
        #expect(grown?.verdict.code == .notEnoughData)
        #expect(grown?.verdict.reason == "one block of 8.0 MiB is 100 % of it: whether it grows, a second image tells")
    }
}

struct LifetimeBucketTests {
    @Test func `buckets are those of the file`() {
        #expect(LifetimeBucket.index(ofSeconds: 0) == 0 && LifetimeBucket.index(ofSeconds: 0.000999) == 0)
        #expect(LifetimeBucket.index(ofSeconds: 0.001) == 1 && LifetimeBucket.index(ofSeconds: 0.0015) == 2)
        #expect(LifetimeBucket.index(ofSeconds: 1.024) == 21 && LifetimeBucket.index(ofSeconds: 1e300) == 63)
        #expect(LifetimeBucket.index(ofSeconds: .infinity) == 63)
        for index in LifetimeBucket.indices {
            #expect(LifetimeBucket.index(ofSeconds: LifetimeBucket.start(of: index)) == index)
        }
        #expect(LifetimeBucket.end(of: 63) == .infinity && LifetimeBucket.end(of: 0) == 0.001)
    }

    @Test func `every age lies in its bucket`() async throws {
        try await forAll(seeds: 500) { generator in
            let age = generator.exponential(mean: 1) * generator.exponential(mean: 100_000)
            let index = LifetimeBucket.index(ofSeconds: age)
            #expect(LifetimeBucket.start(of: index) <= age && age < LifetimeBucket.end(of: index))
        }
    }
}
