import Glibc
import HeapProfile
import OakumModel
import OakumTestKit
import Testing

/// A site with a known truth: how long its blocks live and when they are allocated; only samples are made.
struct SimulatedSite: Sendable, CustomTestStringConvertible {
    var name: String
    /// Seconds that are watched.
    var watched: Double
    /// Samples expected in that time.
    var samples: Double
    var law: LifetimeLaw
    /// When a block with that lifetime is born, as a share of the time.
    var born: @Sendable (inout SeededGenerator, Double) -> Double
    var sizes: [Double]
    /// What must be said of it in nearly every run; nil where either is fair.
    var expected: SiteVerdictCode?

    init(
        _ name: String, watched: Double, samples: Double, _ law: LifetimeLaw, expected: SiteVerdictCode?,
        sizes: [Double] = [64],
        born: @escaping @Sendable (inout SeededGenerator, Double) -> Double = { generator, _ in generator.double(0..<1)
        }
    ) {
        (self.name, self.watched, self.samples, self.law) = (name, watched, samples, law)
        (self.expected, self.sizes, self.born) = (expected, sizes, born)
    }

    var testDescription: String { name }

    static let mean = 524_288.0

    /// The image of a process with this one site, and with another block that was born at the very end.
    func image(_ generator: inout SeededGenerator) -> HeapImage {
        var live: [AllocationRecord] = []
        var freed: [Int: LifetimeBucket] = [:]
        for index in 0..<generator.poisson(samples) {
            let lifetime = law.draw(&generator)
            let birth = born(&generator, lifetime) * watched
            // Samples are drawn by bytes: among them, a size is as frequent as its bytes' chance.
            let size = UInt64(generator.pick(sizes) ?? 64)
            let weight = Double(size) / -expm1(-Double(size) / Self.mean)
            if birth + lifetime > watched {
                live.append(
                    AllocationRecord(
                        address: UInt64(index + 1) << 12, size: size, weight: weight,
                        bornNanoseconds: UInt64((1000 + birth) * 1e9), stack: 1))
            } else {
                let bucket = LifetimeBucket.index(ofSeconds: lifetime)
                freed[bucket, default: LifetimeBucket(index: bucket, count: 0, weight: 0)].count += 1
                freed[bucket]?.weight += weight
            }
        }
        let buckets = freed.values.sorted { $0.index < $1.index }
        var lifetimes: [FreedLifetimes] = []
        if !buckets.isEmpty {
            let count = buckets.reduce(0) { $0 + $1.count }
            lifetimes = [FreedLifetimes(stack: 1, count: count, bytes: count * 64, buckets: buckets)]
        }
        live.append(
            AllocationRecord(
                address: 16, size: 64, weight: Self.mean, bornNanoseconds: UInt64((999.9 + watched) * 1e9), stack: 2))
        return HeapImage(
            process: SampledProcess(
                identity: ProcessIdentity(pid: 1, startTicks: 1), samplingSince: Uptime(seconds: 1000),
                executable: "/srv/app"),
            mode: .sampled, meanBytes: UInt64(Self.mean), bytesInUse: nil, observed: Uptime(seconds: 1000 + watched),
            stacks: [
                StackTrace(addresses: [], quality: .missing), StackTrace(addresses: [101]),
                StackTrace(addresses: [201]),
            ],
            live: live, freed: lifetimes)
    }

    static let frames: [UInt64: [Frame]] = [
        101: [Frame(function: "App.site() -> ()", module: "/srv/app")],
        201: [Frame(function: "App.other() -> ()", module: "/srv/app")],
    ]

    /// The site in the profile of one run.
    func site(_ generator: inout SeededGenerator) -> Site? {
        HeapProfile(image(&generator), frames: Self.frames).sites.first { $0.label == "App.site() -> ()" }
    }
}

/// A law of lifetimes.
struct LifetimeLaw: Sendable {
    /// Seconds; infinite for a block that leaks.
    var draw: @Sendable (inout SeededGenerator) -> Double
    /// The share of blocks that live longer than an age.
    var outliving: @Sendable (Double) -> Double

    static let never = LifetimeLaw(draw: { _ in .infinity }, outliving: { _ in 1 })

    static func exponential(_ mean: Double) -> LifetimeLaw {
        LifetimeLaw(draw: { $0.exponential(mean: mean) }, outliving: { exp(-$0 / mean) })
    }

    static func uniform(_ longest: Double) -> LifetimeLaw {
        LifetimeLaw(draw: { $0.double(0..<longest) }, outliving: { max(0, 1 - $0 / longest) })
    }

    static func fixed(_ seconds: Double) -> LifetimeLaw {
        LifetimeLaw(draw: { _ in seconds }, outliving: { $0 < seconds ? 1 : 0 })
    }

    /// A share of it is never freed.
    static func leaking(_ share: Double, _ rest: LifetimeLaw) -> LifetimeLaw {
        LifetimeLaw(
            draw: { $0.chance(share) ? .infinity : rest.draw(&$0) },
            outliving: { share + (1 - share) * rest.outliving($0) })
    }
}

extension SeededGenerator {
    mutating func poisson(_ mean: Double) -> Int {
        var (count, time) = (0, exponential(mean: 1))
        while time < mean {
            count += 1
            time += exponential(mean: 1)
        }
        return count
    }
}
