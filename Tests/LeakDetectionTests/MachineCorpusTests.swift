import Foundation  // String(format:)
import LeakDetection
import OakumModel
import Testing

/// Recorded machines: no alarm on any, and leaks injected into them are found.
@Suite struct MachineCorpusTests {
    @Test func `the corpus is complete`() {
        #expect(MachineCorpus.names.count == 54)
    }

    /// All of them with `make bench-detect`.
    private static let looked = MachineCorpus.names.enumerated().filter {
        BenchScale.isFull || $0.offset.isMultiple(of: 3)
    }
    .map(\.element)

    @Test(arguments: looked) func `no recorded machine is called a leak at any time`(name: String) throws {
        let points = try MachineCorpus.points(name)
        #expect(points.count > 40_000)
        let leak = MachineCorpus.firstLeak(points)
        #expect(leak == nil, "at \(leak?.seconds ?? 0) s: \(leak?.verdict.evidence ?? [])")
    }

    @Test func `leaks injected into recorded machines are found`() throws {
        let slopes = BenchScale.isFull ? [0.5, 1, 2, 5, 10, 20] : [2, 20]
        let names = MachineCorpus.names.enumerated().filter { BenchScale.isFull || $0.offset.isMultiple(of: 9) }
        let machines = try names.map { try MachineCorpus.points($0.element) }
        for onset in BenchScale.isFull ? [24.0, 72] : [72] {
            for slope in slopes {
                var delays: [Double] = []
                var ratios: [Double] = []
                var early = 0
                for points in machines {
                    let leaking = MachineCorpus.inject(points, onset: onset * 3_600, pointsPerHour: slope)
                    guard let leak = MachineCorpus.firstLeak(leaking) else { continue }
                    let delay = leak.seconds / 3_600 - onset
                    guard delay >= 0 else {
                        early += 1
                        continue
                    }
                    delays.append(delay)
                    ratios.append(delay / MachineCorpus.leastDelayHours(points, pointsPerHour: slope))
                }
                print(
                    String(
                        format: "onset %2.0f h  %4.1f points/h  recall %2d/%d", onset, slope, delays.count,
                        machines.count),
                    " delay h", BenchScale.summary(delays, places: 1), " of the least possible",
                    BenchScale.summary(ratios, places: 2))
                #expect(early == 0)
                #expect(Double(delays.count) >= 0.95 * Double(machines.count))
            }
        }
    }
}
