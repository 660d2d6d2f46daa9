package import Diagnosis
package import OakumModel

/// What was read of the machine, thinned. About 20 KiB.
package struct MachineRecord: Sendable {
    private struct Reading {
        var seconds: Double
        var machine: MachineReading
    }

    private var readings = ThinnedSeries<Reading>(capacity: 128)

    package init() {}

    package mutating func add(_ reading: MachineReading, at now: Uptime) {
        readings.append(Reading(seconds: now.seconds, machine: reading))
    }

    /// Everything as series; those without a reading are left out.
    package var signals: [Signal] {
        var result = [
            Signal(.cpuPressure, points: points(\.cpuPressure)),
            Signal(.memoryPressure, points: points(\.memoryPressure)),
            Signal(.ioPressure, points: points(\.ioPressure)),
            Signal(.hostMemory, points: points(\.memoryAvailable)),
            Signal(
                .network, points: WorkerRecord.ratio(points(\.segmentsRetransmitted), points(\.segmentsSent))),
        ]
        let volumes = Set(readings.readings.flatMap { $0.machine.diskFree.keys.map { $0 } })
        result += volumes.sorted().map { path in Signal(.diskFree, name: path, points: points { $0.diskFree[path] }) }
        return result.filter { !$0.points.isEmpty }
    }

    private func points(_ value: (MachineReading) -> Double?) -> [SeriesPoint] {
        readings.readings.compactMap { reading in
            value(reading.machine).map { SeriesPoint(seconds: reading.seconds, value: $0) }
        }
    }
}
