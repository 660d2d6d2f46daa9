import OakumEngine
import OakumModel

/// Whose samples they are: a worker number and the process that bore it.
struct SeriesKey: Hashable, Sendable {
    var worker: WorkerID
    var process: ProcessIdentity
}

/// The floor and the peak of a process within a bucket.
struct Extent: Hashable, Sendable {
    var floor: Int64
    var peak: Int64

    mutating func include(_ other: Extent) {
        floor = min(floor, other.floor)
        peak = max(peak, other.peak)
    }
}

/// The buckets of one interval, of every process that had a sample in it.
struct ClosedBucket: Hashable, Sendable {
    /// Wall clock, milliseconds; a multiple of the width.
    var start: Int64
    var extents: [SeriesKey: Extent]
}

/// One record of a segment. Series are named by their number within the segment; `series` gives a number its meaning.
enum HistoryRecord: Hashable, Sendable {
    case series(number: Int, key: SeriesKey)
    case tick(wall: Int64, samples: [NumberedSample])
    case bucket(start: Int64, extents: [NumberedExtent])

    struct NumberedSample: Hashable, Sendable {
        var series: Int
        var sample: Sample
    }

    struct NumberedExtent: Hashable, Sendable {
        var series: Int
        var extent: Extent
    }

    /// Of a series within a segment, and of samples within a tick: far more than there are processes.
    static let maximumCount = 65_536
    static let maximumServiceName = 1024
    static let maximumBytes = 8 << 20

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .series(let number, let key):
            writer.byte(1)
            writer.unsigned(UInt64(number))
            writer.text(key.worker.service)
            writer.unsigned(UInt64(key.worker.number))
            writer.signed(Int64(key.process.pid))
            writer.unsigned(key.process.startTicks)
        case .tick(let wall, let samples):
            writer.byte(2)
            writer.signed(wall)
            writer.unsigned(UInt64(samples.count))
            for sample in samples { Self.write(sample, to: &writer) }
        case .bucket(let start, let extents):
            writer.byte(3)
            writer.signed(start)
            writer.unsigned(UInt64(extents.count))
            for extent in extents {
                writer.unsigned(UInt64(extent.series))
                writer.signed(extent.extent.floor)
                writer.signed(extent.extent.peak &- extent.extent.floor)
            }
        }
        return writer.bytes
    }

    /// Nil for anything that `encoded()` cannot have written.
    init?(_ reader: inout ByteReader) {
        switch reader.byte() {
        case 1:
            guard let number = reader.count(upTo: Self.maximumCount), let key = Self.readKey(&reader) else {
                return nil
            }
            self = .series(number: number, key: key)
        case 2:
            guard let wall = reader.signed(), let samples = Self.readList(&reader, Self.readSample) else { return nil }
            self = .tick(wall: wall, samples: samples)
        case 3:
            guard let start = reader.signed(), let extents = Self.readList(&reader, Self.readExtent) else { return nil }
            self = .bucket(start: start, extents: extents)
        default: return nil
        }
        guard reader.remaining == 0 else { return nil }
    }

    private static func write(_ numbered: NumberedSample, to writer: inout ByteWriter) {
        let sample = numbered.sample
        writer.unsigned(UInt64(numbered.series))
        var present: UInt8 = 0
        if sample.anonymous != nil { present |= 1 }
        if sample.cpuSeconds != nil { present |= 2 }
        if sample.threads != nil { present |= 4 }
        if sample.fileDescriptors != nil { present |= 8 }
        if sample.requests != nil { present |= 16 }
        writer.byte(present)
        writer.double(sample.at.seconds)
        writer.signed(sample.rss.bytes)
        if let anonymous = sample.anonymous { writer.signed(anonymous.bytes) }
        if let seconds = sample.cpuSeconds { writer.double(seconds) }
        if let threads = sample.threads { writer.signed(Int64(threads)) }
        if let descriptors = sample.fileDescriptors { writer.signed(Int64(descriptors)) }
        if let requests = sample.requests { writer.double(requests) }
    }

    private static func readSample(_ reader: inout ByteReader) -> NumberedSample? {
        guard let series = reader.count(upTo: maximumCount), let present = reader.byte(), present < 32,
            let at = reader.double(), at.isFinite, let rss = reader.signed()
        else { return nil }
        var sample = Sample(at: Uptime(seconds: at), rss: ByteCount(rss))
        if present & 1 != 0 {
            guard let value = reader.signed() else { return nil }
            sample.anonymous = ByteCount(value)
        }
        if present & 2 != 0 {
            guard let value = reader.double() else { return nil }
            sample.cpuSeconds = value
        }
        if present & 4 != 0 {
            guard let value = reader.signed() else { return nil }
            sample.threads = Int(value)
        }
        if present & 8 != 0 {
            guard let value = reader.signed() else { return nil }
            sample.fileDescriptors = Int(value)
        }
        if present & 16 != 0 {
            guard let value = reader.double() else { return nil }
            sample.requests = value
        }
        return NumberedSample(series: series, sample: sample)
    }

    private static func readExtent(_ reader: inout ByteReader) -> NumberedExtent? {
        guard let series = reader.count(upTo: maximumCount), let floor = reader.signed(), let above = reader.signed()
        else { return nil }
        return NumberedExtent(series: series, extent: Extent(floor: floor, peak: floor &+ above))
    }

    private static func readKey(_ reader: inout ByteReader) -> SeriesKey? {
        guard let service = reader.text(upTo: maximumServiceName),
            let number = reader.unsigned().flatMap(UInt32.init(exactly:)),
            let pid = reader.signed().flatMap(Int32.init(exactly:)), let ticks = reader.unsigned()
        else { return nil }
        return SeriesKey(
            worker: WorkerID(service: service, number: number), process: ProcessIdentity(pid: pid, startTicks: ticks))
    }

    private static func readList<Element>(
        _ reader: inout ByteReader, _ element: (inout ByteReader) -> Element?
    ) -> [Element]? {
        guard let count = reader.count(upTo: maximumCount) else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(min(count, reader.remaining))
        for _ in 0..<count {
            guard let next = element(&reader) else { return nil }
            elements.append(next)
        }
        return elements
    }
}
