import OakumModel

/// What is kept of the readings of one stretch of time.
struct FloorBucket: Hashable, Sendable {
    /// Number of the stretch, counted from the first reading at the width of the level.
    var index: Int
    /// The lowest value, and when it was read.
    var floor: Double
    var floorTime: Double
    var peak: Double
    /// The latest count of work done, NaN when unknown (a `Double?` would double the size of the bucket).
    var work: Double

    mutating func merge(_ later: FloorBucket) {
        if later.floor < floor {
            floor = later.floor
            floorTime = later.floorTime
        }
        peak = max(peak, later.peak)
        if !later.work.isNaN { work = later.work }
    }
}

/// The buckets of one width. Keeps the latest ``capacity``; the oldest is dropped, its content lives on in the level
/// above, which has twice the width.
struct FloorLevel: Hashable, Sendable {
    static let capacity = 40

    fileprivate(set) var open: FloorBucket?
    private var ring: [FloorBucket] = []
    private var next = 0

    /// Complete buckets.
    var count: Int { ring.count }

    /// The complete bucket `age` places before the latest one.
    func latest(_ age: Int) -> FloorBucket {
        ring[(next + 2 * ring.count - 1 - age) % ring.count]
    }

    fileprivate mutating func keep(_ bucket: FloorBucket) {
        if ring.count < Self.capacity {
            ring.append(bucket)
            next = ring.count % Self.capacity
        } else {
            ring[next] = bucket
            next = (next + 1) % Self.capacity
        }
    }
}

/// The floors of a series at every time scale: level k holds buckets of `baseWidth × 2^k` seconds.
///
/// A bucket's floor is what stays allocated: short-lived allocations and garbage not yet collected lie above it.
/// Adding a point costs O(1) amortised (level k is touched every 2^k buckets); memory is at most
/// `levels × 40 buckets × 40 bytes`, 32 kB at 20 levels, and less while the series is short.
struct FloorPyramid: Hashable, Sendable {
    let baseWidth: Double
    /// The time of the first point, from which all buckets are counted: a shifted series has the same buckets.
    private(set) var origin: Double?
    private(set) var lastSeconds: Double?
    private(set) var levels: [FloorLevel]
    /// Levels, counted from the finest, that got a complete bucket from the latest point.
    private(set) var completed = 0

    init(baseWidth: Double, levels: Int) {
        self.baseWidth = baseWidth
        self.levels = Array(repeating: FloorLevel(), count: max(1, min(levels, 40)))
    }

    func width(_ level: Int) -> Double { baseWidth * Double(1 << level) }

    /// Time at which the bucket ends.
    func end(of bucket: FloorBucket, level: Int) -> Double {
        (origin ?? 0) + Double(bucket.index + 1) * width(level)
    }

    /// Takes a point in. False when the point was refused: not a finite number, or older than the one before.
    mutating func add(_ point: SeriesPoint) -> Bool {
        completed = 0
        guard point.seconds.isFinite, point.value.isFinite else { return false }
        if let lastSeconds, point.seconds < lastSeconds { return false }
        let start = origin ?? point.seconds
        let position = ((point.seconds - start) / baseWidth).rounded(.down)
        // Beyond 2^52 buckets a Double no longer tells neighbours apart.
        guard position.isFinite, position < 4_503_599_627_370_496 else { return false }
        origin = start
        lastSeconds = point.seconds
        let work = point.work ?? .nan
        let piece = FloorBucket(
            index: Int(position), floor: point.value, floorTime: point.seconds, peak: point.value,
            work: work.isFinite ? work : .nan)
        merge(piece, into: 0)
        return true
    }

    private mutating func merge(_ piece: FloorBucket, into level: Int) {
        guard level < levels.count else { return }
        if var open = levels[level].open {
            if open.index == piece.index {
                open.merge(piece)
                levels[level].open = open
                return
            }
            close(level)
        }
        levels[level].open = piece
    }

    private mutating func close(_ level: Int) {
        guard let bucket = levels[level].open else { return }
        levels[level].open = nil
        levels[level].keep(bucket)
        completed = max(completed, level + 1)
        var half = bucket
        half.index >>= 1
        merge(half, into: level + 1)
        // The second half is in: the wider bucket need not wait for a successor to be known complete.
        if bucket.index & 1 == 1, level + 1 < levels.count { close(level + 1) }
    }

    /// The lowest and the highest floor of the buckets that ended before `time`, read at `wanted` seconds of width or
    /// the next wider level; nil when nothing lies before.
    func range(before time: Double, width wanted: Double) -> (lowest: Double, highest: Double)? {
        var found: (lowest: Double, highest: Double)?
        for level in levels.indices where width(level) >= wanted {
            let ring = levels[level]
            for age in 0..<ring.count {
                let bucket = ring.latest(age)
                guard end(of: bucket, level: level) <= time else { continue }
                let old = found ?? (bucket.floor, bucket.floor)
                found = (min(old.lowest, bucket.floor), max(old.highest, bucket.floor))
            }
        }
        return found
    }
}
