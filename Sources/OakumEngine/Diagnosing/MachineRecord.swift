package import Diagnosis
package import OakumModel

/// What was read of the machine: over all the time thinned, and the last half hour. About 150 KiB.
package struct MachineRecord: Sendable {
    private struct Reading {
        var seconds: Double
        var machine: MachineReading
    }

    private var readings = ThinnedSeries<Reading>(capacity: 128)
    private var recent = RecentSeries<Reading>(seconds: ServiceRecord.seconds, spacing: 3.9)

    package init() {}

    package mutating func add(_ reading: MachineReading, at now: Uptime) {
        readings.append(Reading(seconds: now.seconds, machine: reading))
        recent.append(Reading(seconds: now.seconds, machine: reading), at: now.seconds)
    }

    /// Everything as series; those without a reading are left out.
    package var signals: [Signal] { Self.signals(readings.readings) }

    /// The same of the last half hour at most, in full.
    package func signals(since begin: Double) -> [Signal] {
        Self.signals(recent.readings.map(\.reading).filter { $0.seconds >= begin })
    }

    /// What was read last.
    package var latest: MachineReading? { recent.readings.last?.reading.machine }

    private static func signals(_ readings: [Reading]) -> [Signal] {
        func points(_ value: (MachineReading) -> Double?) -> [SeriesPoint] {
            readings.compactMap { reading in
                value(reading.machine).map { SeriesPoint(seconds: reading.seconds, value: $0) }
            }
        }
        var result = [
            Signal(.cpuPressure, points: points(\.cpuPressure)),
            Signal(.memoryPressure, points: points(\.memoryPressure)),
            Signal(.ioPressure, points: points(\.ioPressure)),
            Signal(.hostMemory, points: points(\.memoryAvailable)),
            Signal(
                .network, points: WorkerRecord.ratio(points(\.segmentsRetransmitted), points(\.segmentsSent))),
        ]
        let volumes = Set(readings.flatMap { $0.machine.diskFree.keys.map { $0 } })
        result += volumes.sorted().map { path in Signal(.diskFree, name: path, points: points { $0.diskFree[path] }) }
        return result.filter { !$0.points.isEmpty }
    }
}
