import Glibc
import OakumEngine

/// A file of a tier.
struct Segment: Hashable, Sendable {
    var path: String
    /// Wall clock of its first record, milliseconds; the smallest number when its header is damaged.
    var start: Int64
    var bytes: Int64
}

/// The segments of one tier, oldest first: appends to the newest, begins another in time, deletes the oldest in time.
struct TierLog: Sendable {
    /// However short a run is, it begins a segment; a start loop must not fill the folder with files.
    static let maximumSegments = 512

    let tier: Tier
    private(set) var segments: [Segment]
    private let folder: String
    private let limits: HistoryLimits
    private let disk: SegmentDisk
    private var nextSequence: UInt64
    /// Appends to the last of the segments; nil before the first record of this run, and after a torn write.
    private var writer: SegmentWriter?
    private var numbers: [SeriesKey: Int] = [:]

    /// Takes over what earlier runs left. Their segments are only read.
    init(_ tier: Tier, folder: String, limits: HistoryLimits, disk: SegmentDisk) throws(StoreError) {
        self.tier = tier
        self.folder = folder
        self.limits = limits
        self.disk = disk
        let found = try Self.sequences(of: tier, in: folder)
        nextSequence = (found.last ?? 0) + 1
        segments = []
        for sequence in found {
            let path = Self.path(tier, sequence, in: folder)
            if let segment = try Self.inspect(path) { segments.append(segment) }
        }
    }

    /// The longest prefix of a segment that is read: a segment of ours is never longer.
    static func readLimit(_ tier: Tier, _ limits: HistoryLimits) -> Int {
        Int(tier.maximumBytes(limits) / 8) + 2 * HistoryRecord.maximumBytes
    }

    /// Appends one record about these series, in one write together with the series it is the first to name.
    /// - Throws: nothing of the record was stored then.
    mutating func append(
        _ keys: [SeriesKey], wall: Int64, _ record: ([Int]) -> HistoryRecord
    ) throws(StoreError) {
        if needsRotation(wall: wall, adding: keys.count) { seal() }
        let isNew = writer == nil
        let writer: SegmentWriter
        if let current = self.writer { writer = current } else { writer = try create() }
        var bytes = isNew ? SegmentFormat.header(start: wall) : []
        var added: [SeriesKey: Int] = [:]
        let named = keys.map { key in
            if let known = numbers[key] ?? added[key] { return known }
            let number = numbers.count + added.count
            added[key] = number
            bytes += SegmentFormat.frame(.series(number: number, key: key))
            return number
        }
        bytes += SegmentFormat.frame(record(named))
        let length = isNew ? 0 : segments[segments.count - 1].bytes
        switch writer.append(bytes, length: length) {
        case .written:
            if isNew { begin(writer, at: wall) }
            segments[segments.count - 1].bytes += Int64(bytes.count)
            numbers.merge(added) { known, _ in known }
            if isNew { enforceLimits(now: wall) }
        case .refused(let error):
            if isNew { unlink(writer.path) }
            throw error
        case .torn(let error):
            if isNew { unlink(writer.path) }
            seal()
            throw error
        }
    }

    private func needsRotation(wall: Int64, adding count: Int) -> Bool {
        guard writer != nil, let last = segments.last else { return false }
        let age = Double(abs(wall - last.start)) / 1000
        return age > tier.keepSeconds(limits) / 6 || last.bytes > tier.maximumBytes(limits) / 8
            || numbers.count + count > HistoryRecord.maximumCount
    }

    private mutating func create() throws(StoreError) -> SegmentWriter {
        let writer = try SegmentWriter(creating: Self.path(tier, nextSequence, in: folder), disk: disk)
        nextSequence += 1
        return writer
    }

    private mutating func begin(_ writer: SegmentWriter, at wall: Int64) {
        self.writer = writer
        numbers = [:]
        segments.append(Segment(path: writer.path, start: wall, bytes: 0))
    }

    private mutating func seal() {
        if tier != .full { writer?.synchronize() }
        writer = nil
        numbers = [:]
    }

    /// The oldest goes while it is out of date, too much or too many. What is being written always stays.
    private mutating func enforceLimits(now: Int64) {
        let oldest = now - Int64(tier.keepSeconds(limits) * 1000)
        var total = segments.reduce(0) { $0 + $1.bytes }
        while segments.count > 1 {
            // The newest record of a segment is older than the first of the next.
            let isDue =
                segments[1].start < oldest || total > tier.maximumBytes(limits) * 7 / 8
                || segments.count > Self.maximumSegments
            guard isDue, unlink(segments[0].path) == 0 || errno == ENOENT else { return }
            total -= segments[0].bytes
            segments.removeFirst()
        }
    }

    private static func path(_ tier: Tier, _ sequence: UInt64, in folder: String) -> String {
        let digits = String(sequence)
        return "\(folder)/\(tier.rawValue)-\(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits).segment"
    }

    private static func sequences(of tier: Tier, in folder: String) throws(StoreError) -> [UInt64] {
        guard let entries = opendir(folder) else { throw fileError("read the folder", folder) }
        defer { closedir(entries) }
        var found: [UInt64] = []
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix("\(tier.rawValue)-"), name.hasSuffix(".segment") else { continue }
            if let sequence = UInt64(name.dropFirst(tier.rawValue.count + 1).dropLast(8)) { found.append(sequence) }
        }
        return found.sorted()
    }

    private static func inspect(_ path: String) throws(StoreError) -> Segment? {
        var status = stat()
        guard let head = try readFile(path, limit: SegmentFormat.headerBytes), stat(path, &status) == 0 else {
            return nil
        }
        switch SegmentFormat.readHeader(head) {
        case .starts(let start): return Segment(path: path, start: start, bytes: Int64(status.st_size))
        case .damaged: return Segment(path: path, start: .min, bytes: Int64(status.st_size))
        case .newer(let version):
            throw .unusable(
                "\(path) is of format \(version), this Oakum knows \(SegmentFormat.version): start the newer Oakum, "
                    + "or move its folder away to begin a new history")
        }
    }
}
