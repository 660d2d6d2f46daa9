/// Why two arms' memory cannot be compared yet.
struct MissingMemory: Error {
    /// One sentence.
    var reason: String
}

/// What a worker of the candidate holds more than one of the baseline after the same number of requests.
///
/// Compared by requests served, not by time: workers that share a listening socket are not served alike, and a worker that did
/// more has warmed up further. What grows with requests in both arms is the same after the same requests, and cancels.
struct ComparedMemory: Sendable {
    /// Each a worker's requests since its start, in the middle of a block of equal numbers of them.
    private(set) var requests: [Double] = []
    /// Median of the candidate's workers less median of the baseline's, each the median of its block.
    private(set) var bytes: [Double] = []
    /// The same of open descriptors; empty when they are not known throughout.
    private(set) var descriptors: [Double] = []
    let isResident: Bool
    /// Blocks there would be if no reading were missing.
    let blocks: Int
    /// The highest a worker of the candidate holds now.
    let level: Double
    /// Of one worker of the candidate, lately.
    let requestsPerSecond: Double
    /// Seconds the candidate took for the compared stretch.
    let span: Double
    let workersLeftOut: Int

    /// - Parameters:
    ///   - start: seconds from the start of the workers; what was before is left out.
    ///   - isRecorded: the baseline was recorded earlier: only its requests count, not its time.
    init(
        candidate: [[MemoryPoint]], baseline: [[MemoryPoint]], isRecorded: Bool, from start: Double,
        settings: GateSettings.Memory
    ) throws(MissingMemory) {
        let all = candidate + baseline
        guard !candidate.isEmpty, !baseline.isEmpty, all.allSatisfy({ !$0.isEmpty }) else {
            throw MissingMemory(reason: "memory over requests is not known of every worker")
        }
        isResident = !all.allSatisfy { Self.isKnown($0, \.bytesInUse) }
        let value: KeyPath<MemoryPoint, Double?> = isResident ? \.residentBytes : \.bytesInUse
        guard all.allSatisfy({ Self.isKnown($0, value) }) else {
            throw MissingMemory(reason: "neither bytes in use nor resident bytes are known of every worker")
        }
        let new = Self.busy(candidate, settings.leastShare).map { $0.filter { $0.seconds >= start } }
        let old = Self.busy(baseline, settings.leastShare).map { $0.filter { isRecorded || $0.seconds >= start } }
        workersLeftOut = all.count - new.count - old.count
        let used = new + old
        guard let first = used.map({ $0.first?.requests ?? .infinity }).max(),
            let last = used.map({ $0.last?.requests ?? -.infinity }).min(), last > first,
            last - first >= settings.leastRequests
        else {
            throw MissingMemory(
                reason: "fewer than \(Words.count(settings.leastRequests)) requests a worker to compare"
                    + (start > 0 ? " after the first \(Words.seconds(start))" : ""))
        }
        let times = new.map { points in
            let part = points.filter { first...last ~= $0.requests }
            return (part.last?.seconds ?? 0) - (part.first?.seconds ?? 0)
        }
        span = times.reduce(0, +) / Double(times.count)
        let wanted = Int(span / settings.blockSeconds)
        let fine = used.map { $0.count { first...last ~= $0.requests } }.min() ?? 0
        // Too short for a verdict: finer blocks tell what could be seen.
        blocks = wanted >= settings.leastBlocks ? min(wanted, settings.mostBlocks) : min(12, isRecorded ? 12 : fine)
        guard blocks >= 6 else { throw MissingMemory(reason: "too few readings of memory") }
        level = new.compactMap { $0.last?[keyPath: value] }.max() ?? 0
        requestsPerSecond = new.map(Self.rate).reduce(0, +) / Double(new.count)
        let grid = Grid(first: first, last: last, count: blocks, fills: isRecorded)
        let difference = grid.difference(new, old, value)
        requests = difference.places
        bytes = difference.values
        let fds = grid.difference(new, old, \.openDescriptors)
        if !isRecorded, fds.places.count == requests.count { descriptors = fds.values }
    }

    private static func isKnown(_ points: [MemoryPoint], _ value: KeyPath<MemoryPoint, Double?>) -> Bool {
        10 * points.count { $0[keyPath: value] != nil } >= 9 * points.count
    }

    /// Without workers that served next to nothing.
    private static func busy(_ workers: [[MemoryPoint]], _ share: Double) -> [[MemoryPoint]] {
        let most = workers.compactMap { $0.last?.requests }.max() ?? 0
        return workers.filter { ($0.last?.requests ?? 0) >= share * most }
    }

    /// Of the last ten minutes.
    private static func rate(_ points: [MemoryPoint]) -> Double {
        guard let last = points.last, let begin = points.first(where: { $0.seconds >= last.seconds - 600 }),
            last.seconds > begin.seconds
        else { return 0 }
        return (last.requests - begin.requests) / (last.seconds - begin.seconds)
    }
}

/// Blocks of equal numbers of requests.
private struct Grid {
    let first: Double
    let last: Double
    let count: Int
    /// A recorded curve may be coarser than the blocks: it is joined up. Live readings that are missing stay missing.
    let fills: Bool

    func difference(
        _ candidate: [[MemoryPoint]], _ baseline: [[MemoryPoint]], _ value: KeyPath<MemoryPoint, Double?>
    ) -> (places: [Double], values: [Double]) {
        let new = candidate.map { medians($0, value) }
        let old = baseline.map { fills ? joined(medians($0, value)) : medians($0, value) }
        var places: [Double] = []
        var values: [Double] = []
        for block in 0..<count {
            let ours = new.compactMap { $0[block] }
            let theirs = old.compactMap { $0[block] }
            // All or none: a worker that comes and goes would look like a step.
            guard ours.count == new.count, theirs.count == old.count, let up = median(ours), let down = median(theirs)
            else { continue }
            places.append(first + (Double(block) + 0.5) * (last - first) / Double(count))
            values.append(up - down)
        }
        return (places, values)
    }

    private func medians(_ points: [MemoryPoint], _ value: KeyPath<MemoryPoint, Double?>) -> [Double?] {
        var parts = [[Double]](repeating: [], count: count)
        for point in points where first...last ~= point.requests {
            guard let number = point[keyPath: value] else { continue }
            let block = Int((point.requests - first) / (last - first) * Double(count))
            parts[min(block, count - 1)].append(number)
        }
        return parts.map(median)
    }

    private func joined(_ values: [Double?]) -> [Double?] {
        var result = values
        let known = values.indices.filter { values[$0] != nil }
        for (left, right) in zip(known, known.dropFirst()) where right > left + 1 {
            guard let from = values[left], let to = values[right] else { continue }
            for index in (left + 1)..<right {
                result[index] = from + (to - from) * Double(index - left) / Double(right - left)
            }
        }
        return result
    }
}
