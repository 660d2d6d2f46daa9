import Glibc
import OakumModel
import OakumTestKit
import Testing

@testable import HeapProfile

struct QuantilesTests {
    /// By summing the densities numerically, apart from the code under test.
    @Test(arguments: [
        (0.025, 5.0, 6.0, 0.18708602844739778), (0.975, 1.0, 10.0, 0.30849710781876083),
        (0.5, 0.5, 0.5, 0.5), (0.025, 200.0, 3.0, 0.964694),
    ])
    func `quantiles of beta are those of the tables`(p: Double, a: Double, b: Double, expected: Double) {
        #expect(abs(Quantiles.beta(p, a, b) - expected) < 2e-6)
    }

    @Test(arguments: [(0.025, 1.0, 0.0253178079842899), (0.975, 11.0, 18.3903557), (0.5, 100.0, 99.6668646)])
    func `quantiles of gamma are those of the tables`(p: Double, shape: Double, expected: Double) {
        #expect(abs(Quantiles.gamma(p, shape: shape) - expected) < 1e-5)
    }

    @Test func `quantiles of the normal distribution are those of the tables`() {
        #expect(abs(Quantiles.normal(0.975) - 1.959963984540054) < 1e-9)
        #expect(abs(Quantiles.normal(0.5)) < 1e-9)
    }

    @Test func `a quantile undoes its distribution`() async throws {
        try await forAll(seeds: 200) { generator in
            let (a, b) = (exp(generator.double(-0.7..<9)), exp(generator.double(-0.7..<9)))
            let p = generator.double(0.001..<0.999)
            #expect(abs(Quantiles.incompleteBeta(Quantiles.beta(p, a, b), a, b) - p) < 1e-6)
            #expect(abs(Quantiles.incompleteGamma(Quantiles.gamma(p, shape: a), a) - p) < 1e-6)
        }
    }

    @Test func `shapes of zero are all mass at one end`() {
        #expect(Quantiles.beta(0.5, 0, 3) == 0 && Quantiles.beta(0.5, 3, 0) == 1)
        #expect(Quantiles.gamma(0.5, shape: 0) == 0)
    }
}

struct LifeTableTests {
    private func table(freed: [(Int, UInt64)], ages: [Double]) -> LifeTable {
        LifeTable(
            freed: freed.map { LifetimeBucket(index: $0, count: $1, weight: Double($1) * 7) },
            live: ages.map { ($0, 7) })
    }

    @Test func `without censoring the interval is Clopper and Pearson's`() async throws {
        try await forAll(seeds: 100) { generator in
            let (dead, alive) = (generator.int(1...60), generator.int(0...60))
            let table = self.table(
                freed: [(5, UInt64(dead) - UInt64(dead / 2)), (9, UInt64(dead / 2))].filter { $0.1 > 0 },
                ages: Array(repeating: 1e6, count: alive))
            let share = table.share(outliving: 20, confidence: 0.95)
            let (n, k) = (Double(dead + alive), Double(alive))
            #expect(abs(share.estimate - k / n) < 1e-9)
            #expect(abs(share.low - Quantiles.beta(0.025, k, n - k + 1)) < 1e-6)
            #expect(abs(share.high - Quantiles.beta(0.975, k + 1, n - k)) < 1e-6)
        }
    }

    @Test func `who is censored on the way counts for as long as seen`() {
        // 10 at first; 4 freed in bucket 3; 2 live at an age in bucket 6; 1 of the 4 others freed in bucket 8.
        let age = LifetimeBucket.start(of: 6) * 1.1
        let table = table(freed: [(3, 4), (8, 1)], ages: [age, age, 1e6, 1e6, 1e6])
        let share = table.share(outliving: 8, confidence: 0.95)
        #expect(abs(share.estimate - 0.6 * 0.75) < 1e-9)
        #expect(share.low < share.estimate && share.estimate < share.high)
    }

    @Test func `large samples count for more, as fewer equal ones`() {
        let table = LifeTable(
            freed: [LifetimeBucket](), live: [(1.0, 1000.0)] + Array(repeating: (1.0, 1.0), count: 1000))
        #expect(abs(table.atRisk(0) - 2000 * 2000 / 1_001_000) < 1e-6)
    }

    @Test func `more certainty means wider intervals`() async throws {
        try await forAll(seeds: 100) { generator in
            let freed = (0..<5).map { _ in (generator.int(0...30), UInt64(generator.int(1...20))) }
            let ages = (0..<generator.int(0...30)).map { _ in generator.exponential(mean: 10) }
            let table = self.table(freed: freed, ages: ages)
            let last = generator.int(0...40)
            let (narrow, wide) = (
                table.share(outliving: last, confidence: 0.8), table.share(outliving: last, confidence: 0.99)
            )
            #expect(wide.low <= narrow.low + 1e-9 && wide.high >= narrow.high - 1e-9)
            #expect(0 <= wide.low && wide.high <= 1 && wide.estimate == narrow.estimate)
        }
    }
}

struct SampledTotalTests {
    private func record(_ size: UInt64, mean: Double) -> AllocationRecord {
        let weight = size == 0 ? mean : Double(size) / -expm1(-Double(size) / mean)
        return AllocationRecord(address: size, size: size, weight: weight, bornNanoseconds: 1, stack: 0)
    }

    /// Sizes from tiny to larger than the mean distance of samples.
    @Test(arguments: [[48.0], [4096], [500_000], [2_000_000], [32, 640, 9000, 70_000, 1_200_000]])
    func `live bytes and blocks are without bias and their intervals hold their rate`(sizes: [Double]) async throws {
        let mean = 524_288.0
        let counts = Coverage()
        try await forAll(seeds: 600) { generator in
            // About 12 samples of each size.
            var (records, truth, blocks) = ([AllocationRecord](), 0.0, 0.0)
            for size in sizes {
                let number = Int((12 / -expm1(-size / mean)).rounded())
                truth += Double(number) * size
                blocks += Double(number)
                let sampled = generator.binomial(number, -expm1(-size / mean))
                records += Array(repeating: self.record(UInt64(size), mean: mean), count: sampled)
            }
            let total = SampledTotal(records)
            counts.note(total.bytes, truth)
            counts.note(total.blocks, blocks, in: 1)
        }
        print("live totals of sizes \(sizes): bytes \(counts.text(0)), blocks \(counts.text(1)), seeds 1 to 600")
        #expect(counts.rate(0) >= 0.935 && counts.rate(1) >= 0.935)
        #expect(abs(counts.meanRatio(0) - 1) < 0.03)
    }

    @Test func `every block counted means no uncertainty`() {
        let records = (1...5).map { size in
            AllocationRecord(address: 1, size: size * 10, weight: Double(size * 10), bornNanoseconds: 1, stack: 0)
        }
        let total = SampledTotal(records)
        #expect(total.bytes == Estimate(estimate: 150, low: 150, high: 150))
        #expect(total.blocks == Estimate(estimate: 5, low: 5, high: 5))
        #expect(SampledTotal([AllocationRecord]()).bytes == Estimate(estimate: 0, low: 0, high: 0))
    }

    @Test func `a block that was sampled is there for certain`() {
        let total = SampledTotal([record(3_000_000, mean: 524_288)])
        #expect(total.bytes.low >= 3_000_000 && total.bytes.high <= 6_000_000, "and at most another one was not")
    }

    @Test func `differences of sums hold their rate`() async throws {
        let counts = Coverage()
        try await forAll(seeds: 600) { generator in
            let (came, went) = (generator.int(0...60), generator.int(0...60))
            var (plus, minus) = (WeightedSum(), WeightedSum())
            let probability = 0.2
            for _ in 0..<generator.binomial(came, probability) { plus.add(100 / probability, probability: probability) }
            for _ in 0..<generator.binomial(went, probability) {
                minus.add(100 / probability, probability: probability)
            }
            counts.note(plus.less(minus, confidence: 0.95), Double(came - went) * 100)
        }
        print("differences: \(counts.text(0)), seeds 1 to 600")
        #expect(counts.rate(0) >= 0.935)
    }
}
