import Foundation  // environment, String(format:)
import LeakDetection
import OakumModel
import Testing

/// The whole corpus, all slopes; run by `make bench-detect`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["OAKUM_DETECT_BENCH"] != nil), .serialized)
struct CorpusBench {
    @Test func `recall and delay by slope on recorded machines`() throws {
        let clock = ContinuousClock()
        var machines: [(name: String, points: [SeriesPoint])] = []
        let stride = Int(ProcessInfo.processInfo.environment["OAKUM_DETECT_STRIDE"] ?? "") ?? 1
        for name in MachineCorpus.names { machines.append((name, try MachineCorpus.points(name))) }
        let start = clock.now
        var alarms: [String] = []
        for machine in machines {
            guard let leak = MachineCorpus.firstLeak(machine.points) else { continue }
            alarms.append("\(machine.name)@\(leak.seconds / 3_600): \(leak.verdict.evidence)")
        }
        print("healthy: \(machines.count) machines, alarms \(alarms.count), \(clock.now - start)")
        alarms.forEach { print("  alarms", $0) }
        let wanted = ProcessInfo.processInfo.environment["OAKUM_DETECT_SLOPES"] ?? "0.5,1,2,5,10,20"
        let slopes = wanted.split(separator: ",").compactMap { Double($0) }
        for onset in [24.0, 72] {
            for slope in slopes {
                var delays: [Double] = []
                var ratios: [Double] = []
                var early = 0
                var missedNames: [String] = []
                for machine in machines.enumerated().filter({ $0.offset.isMultiple(of: stride) }).map(\.element) {
                    let leaking = MachineCorpus.inject(machine.points, onset: onset * 3_600, pointsPerHour: slope)
                    guard let leak = MachineCorpus.firstLeak(leaking) else {
                        missedNames.append(machine.name); continue
                    }
                    let delay = leak.seconds / 3_600 - onset
                    if delay < 0 { early += 1; continue }
                    delays.append(delay)
                    ratios.append(delay / MachineCorpus.leastDelayHours(machine.points, pointsPerHour: slope))
                }
                delays.sort()
                ratios.sort()
                if let lost = missedNames.first { print("  missed", lost, missedNames.count) }
                guard !delays.isEmpty else { print("onset \(onset) slope \(slope): none missed"); continue }
                print(
                    String(
                        format: "onset %2.0f h  %4.1f points/h: recall %2d/%d  delay h median %.1f p90 %.1f max %.1f"
                            + "  of floor median %.2f p90 %.2f missed %d early %d", onset, slope, delays.count,
                        machines.count, delays[delays.count / 2], delays[delays.count * 9 / 10],
                        delays[delays.count - 1], ratios[ratios.count / 2], ratios[ratios.count * 9 / 10],
                        machines.count - delays.count, early))
            }
        }
    }
}
