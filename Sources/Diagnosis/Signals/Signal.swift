package import OakumModel

/// What a series measures, and in which unit. Raw values are stored and shown: they may be added to, never renamed.
package enum SignalKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// A worker's memory, bytes: anonymous where it is known, else resident.
    case memory
    /// Cores in use by the worker.
    case cpu
    /// Seconds a request takes: a high quantile or the mean, the same all along.
    case latency
    /// Share of requests that fail, 0 to 1.
    case errors
    /// Requests a second.
    case requests
    /// Requests under way.
    case inFlight = "in_flight"
    case fileDescriptors = "file_descriptors"
    case threads
    /// A work counter of the service's own, a second: entries scanned, rows read, collections run.
    case work
    /// Core seconds a request; derived from `cpu` and `requests`, not given.
    case cpuPerRequest = "cpu_per_request"
    /// Pressure stall, `some avg10`, percent (kernel documentation, accounting/psi.rst).
    case cpuPressure = "cpu_pressure"
    case memoryPressure = "memory_pressure"
    case ioPressure = "io_pressure"
    /// Share of the machine's memory that is available, 0 to 1.
    case hostMemory = "host_memory"
    /// Share of a volume that is free, 0 to 1.
    case diskFree = "disk_free"
    /// Share of packets or segments lost, retransmitted or dropped, 0 to 1.
    case network
    /// Seconds an outside service takes to answer this one.
    case dependencyLatency = "dependency_latency"
    /// Share of calls to an outside service that fail, 0 to 1.
    case dependencyErrors = "dependency_errors"
}

/// One series of readings. A reading that failed is left out; it is never a zero.
package struct Signal: Hashable, Sendable {
    package var kind: SignalKind
    /// Which one, where there may be several: a volume, an outside service, a work counter.
    package var name: String?
    /// Seconds on the axis of all signals of one diagnosis. Points that are not finite or older than the one before are
    /// left out.
    package var points: [SeriesPoint]

    package init(_ kind: SignalKind, name: String? = nil, points: [SeriesPoint]) {
        self.kind = kind
        self.name = name
        self.points = points
    }

    /// What a counter grows by a second. Where it went back (a restart) there is no point, and no reading is made up for
    /// a gap: the one after it is the mean over the gap.
    package static func rate(_ kind: SignalKind, name: String? = nil, counter: [SeriesPoint]) -> Signal {
        var points: [SeriesPoint] = []
        points.reserveCapacity(counter.count)
        var last: SeriesPoint?
        for point in counter where point.value.isFinite && point.seconds.isFinite {
            if let last, point.seconds > last.seconds, point.value >= last.value {
                let span = point.seconds - last.seconds
                points.append(
                    SeriesPoint(seconds: last.seconds + span / 2, value: (point.value - last.value) / span))
            }
            if let known = last, point.seconds <= known.seconds { continue }
            last = point
        }
        return Signal(kind, name: name, points: points)
    }
}
