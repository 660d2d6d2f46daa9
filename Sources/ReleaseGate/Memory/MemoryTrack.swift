/// What one worker held after so many requests: the mean of a short stretch.
package struct MemoryPoint: Hashable, Sendable, Codable {
    /// From the worker's start.
    package var seconds: Double
    package var requests: Double
    package var bytesInUse: Double?
    package var residentBytes: Double?
    package var openDescriptors: Double?

    package init(
        seconds: Double, requests: Double, bytesInUse: Double? = nil, residentBytes: Double? = nil,
        openDescriptors: Double? = nil
    ) {
        self.seconds = seconds
        self.requests = requests
        self.bytesInUse = bytesInUse
        self.residentBytes = residentBytes
        self.openDescriptors = openDescriptors
    }

    private enum CodingKeys: String, CodingKey {
        case seconds = "t_s"
        case requests
        case bytesInUse = "bytes_in_use"
        case residentBytes = "rss_bytes"
        case openDescriptors = "open_fds"
    }
}

/// The memory of the workers of a release over what they served, kept for the bake of the next one.
package struct MemoryRecord: Hashable, Sendable, Codable {
    package var release: String
    /// One list a worker, in the order of time.
    package var workers: [[MemoryPoint]]

    package init(release: String, workers: [[MemoryPoint]]) {
        self.release = release
        self.workers = workers
    }
}

/// One worker's memory in short stretches of time. At most 512: then two become one. 32 KiB.
struct MemoryTrack: Sendable {
    static let limit = 512

    private(set) var points: [MemoryPoint] = []
    private(set) var width = 10.0
    private var open = Sums()
    private var openIndex = -1.0

    private struct Sums {
        var seconds = Mean()
        var requests = Mean()
        var inUse = Mean()
        var resident = Mean()
        var descriptors = Mean()

        var point: MemoryPoint? {
            guard let seconds = seconds.value, let requests = requests.value else { return nil }
            return MemoryPoint(
                seconds: seconds, requests: requests, bytesInUse: inUse.value, residentBytes: resident.value,
                openDescriptors: descriptors.value)
        }
    }

    private struct Mean {
        var sum = 0.0
        var count = 0.0
        var value: Double? { count > 0 ? sum / count : nil }

        mutating func add(_ value: Double?) {
            guard let value else { return }
            sum += value
            count += 1
        }
    }

    /// Seconds and requests rise.
    mutating func add(_ point: MemoryPoint) {
        let index = (point.seconds / width).rounded(.down)
        if index != openIndex { close() }
        openIndex = index
        open.seconds.add(point.seconds)
        open.requests.add(point.requests)
        open.inUse.add(point.bytesInUse)
        open.resident.add(point.residentBytes)
        open.descriptors.add(point.openDescriptors)
    }

    private mutating func close() {
        if let point = open.point { points.append(point) }
        open = Sums()
        guard points.count > Self.limit else { return }
        width *= 2
        let old = points
        points = []
        for point in old {
            let index = (point.seconds / width).rounded(.down)
            if let last = points.last, (last.seconds / width).rounded(.down) == index {
                points[points.count - 1] = Self.mean(last, point)
            } else {
                points.append(point)
            }
        }
    }

    private static func mean(_ left: MemoryPoint, _ right: MemoryPoint) -> MemoryPoint {
        func mean(_ left: Double?, _ right: Double?) -> Double? {
            guard let left, let right else { return left ?? right }
            return (left + right) / 2
        }
        return MemoryPoint(
            seconds: (left.seconds + right.seconds) / 2, requests: (left.requests + right.requests) / 2,
            bytesInUse: mean(left.bytesInUse, right.bytesInUse),
            residentBytes: mean(left.residentBytes, right.residentBytes),
            openDescriptors: mean(left.openDescriptors, right.openDescriptors))
    }
}
