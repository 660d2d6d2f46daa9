import OakumEngine
import OakumModel

/// Reads segments record by record, with the series named.
struct SegmentScan {
    var limit: Int
    /// Which series are of interest: the others are skipped.
    var wants: (SeriesKey) -> Bool
    var onTick: (_ wall: Int64, _ samples: [(SeriesKey, Sample)]) -> Void = { _, _ in }
    var onBucket: (_ start: Int64, _ extents: [(SeriesKey, Extent)]) -> Void = { _, _ in }

    /// - Returns: how many bytes of the segment could not be read.
    func read(_ segment: Segment) throws(StoreError) -> Int {
        let size = Int(clamping: min(segment.bytes, Int64(limit)))
        guard let bytes = try readFile(segment.path, limit: size) else { return 0 }
        var names: [Int: SeriesKey] = [:]
        return SegmentFormat.read(bytes) { record in
            switch record {
            case .series(let number, let key): names[number] = wants(key) ? key : nil
            case .tick(let wall, let samples):
                onTick(wall, samples.compactMap { entry in names[entry.series].map { ($0, entry.sample) } })
            case .bucket(let start, let extents):
                onBucket(start, extents.compactMap { entry in names[entry.series].map { ($0, entry.extent) } })
            }
        }
    }
}

extension Sample {
    var extent: Extent { Extent(floor: rss.bytes, peak: rss.bytes) }
}
