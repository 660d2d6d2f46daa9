package import OakumModel

/// Tells the memory of requests that are not answered yet from a leak.
///
/// A leak keeps what is over, a surge holds what is not over yet: connections, bodies and tasks of requests that wait for a
/// core. While both rise, no look at memory alone tells them apart. So a leak verdict is held back while requests under way
/// rise with the memory and a plausible amount falls to each, and no longer: when they have stopped rising, memory that goes
/// on growing is a leak's. Pure; 4 KiB.
package struct SurgeWatch: Sendable {
    private struct Reading {
        var seconds: Double
        var underWay: Double
        /// The least of the last few seconds, bytes.
        var memory: Double
    }

    /// Why a verdict is held back now.
    private struct Hold {
        /// Since when they have risen without a pause.
        var risingSince: Double
        var before: Double
        var memoryBefore: Double
        var peak: Double
        var memoryAtPeak: Double
        var peakSeconds: Double

        var growth: Double { memoryAtPeak - memoryBefore }
        var bytesEach: Double { growth / max(1, peak - before) }
    }

    private enum State {
        case quiet
        case held(Hold)
        /// The verdict was told: it is not taken back for a surge that comes later.
        case told
    }

    /// The oldest goes first: four minutes of readings every two seconds.
    private static let limit = 128
    /// Seconds of memory of which the least counts: a reading may meet what is gone a moment later.
    private static let floorCount = 5
    /// More requests than that must have been added, and as many as there were.
    private static let leastMore = 32.0
    /// What one request may account for, bytes: a connection with its buffers, a body, a task.
    package static let mostBytesEach = 131_072.0
    /// Rises are held to go together from this correlation on.
    private static let leastCorrelation = 0.8
    /// Growth without further requests that ends the hold: this share of what grew with them, and this much, bytes.
    private static let furtherShare = 0.25
    private static let furtherBytes = 2_097_152.0
    /// They rise when the mean of the last readings is above the highest such mean by this factor.
    private static let smoothed = 4
    private static let higher = 1.05
    /// However long requests rise, seconds.
    package static let longestHold = 300.0
    /// Without a reading of requests for so long nothing is explained, seconds.
    private static let blindSeconds = 30.0

    private var readings: [Reading] = []
    private var memory: [Double] = []
    private var state = State.quiet

    package init() {}

    /// What the process holds, once a second, bytes.
    package mutating func add(memory bytes: Double) {
        memory.append(bytes)
        if memory.count > Self.floorCount { memory.removeFirst() }
    }

    /// Requests read and not yet answered, every few seconds.
    package mutating func add(underWay count: Double, at seconds: Double) {
        guard let floor = memory.min(), count.isFinite, count >= 0, seconds > readings.last?.seconds ?? -.infinity
        else {
            return
        }
        if readings.count >= Self.limit { readings.removeFirst() }
        readings.append(Reading(seconds: seconds, underWay: count, memory: floor))
    }

    /// The verdict, or what is said instead while it is held back.
    package mutating func judge(_ verdict: Verdict, at seconds: Double) -> Verdict {
        guard verdict.code == .leak else {
            // What was explained stays explained, when the same growth is called a leak once more.
            if case .told = state { state = .quiet }
            return verdict
        }
        let onset = verdict.onsetSeconds ?? seconds
        switch state {
        case .told: return verdict
        case .held(let hold) where onset <= hold.peakSeconds:
            state = goesOn(hold, at: seconds).map(State.held) ?? .told
        case .quiet, .held: state = explanation(since: onset, at: seconds).map(State.held) ?? .told
        }
        guard case .held(let hold) = state else { return verdict }
        return Self.held(verdict, hold)
    }

    // MARK: - Begin

    private func explanation(since onset: Double, at now: Double) -> Hold? {
        // What was before the readings is not known: a growth of hours is no surge of minutes.
        guard let oldest = readings.first, oldest.seconds <= onset + Self.blindSeconds / 2 else { return nil }
        let seen = readings.filter { $0.seconds >= onset - Self.blindSeconds / 2 }
        guard seen.count >= 4, let last = seen.last, now - last.seconds <= Self.blindSeconds else { return nil }
        let quarter = max(1, seen.count / 4)
        func mean(_ part: ArraySlice<Reading>) -> Double {
            part.map(\.underWay).reduce(0, +) / Double(part.count)
        }
        let before = mean(seen.prefix(quarter))
        let after = mean(seen.suffix(quarter))
        let earlier = mean(seen.dropLast(quarter).suffix(quarter))
        guard after - before >= max(Self.leastMore, before), after > earlier else { return nil }
        let first = seen.prefix(quarter).map(\.memory).min() ?? last.memory
        let hold = Hold(
            risingSince: now, before: before, memoryBefore: first, peak: after, memoryAtPeak: last.memory,
            peakSeconds: last.seconds)
        guard hold.bytesEach <= Self.mostBytesEach, Self.correlation(seen) >= Self.leastCorrelation else { return nil }
        return hold
    }

    private static func correlation(_ readings: [Reading]) -> Double {
        let count = Double(readings.count)
        let meanRequests = readings.map(\.underWay).reduce(0, +) / count
        let meanMemory = readings.map(\.memory).reduce(0, +) / count
        var both = 0.0
        var requests = 0.0
        var memory = 0.0
        for reading in readings {
            let (right, up) = (reading.underWay - meanRequests, reading.memory - meanMemory)
            both += right * up
            requests += right * right
            memory += up * up
        }
        guard requests > 0, memory > 0 else { return 0 }
        return both / (requests * memory).squareRoot()
    }

    // MARK: - While it lasts

    private func goesOn(_ hold: Hold, at now: Double) -> Hold? {
        guard let last = readings.last, now - last.seconds <= Self.blindSeconds, let floor = memory.min() else {
            return nil
        }
        var hold = hold
        let recent = readings.suffix(Self.smoothed).map(\.underWay).reduce(0, +) / Double(Self.smoothed)
        if readings.count >= Self.smoothed, recent > Self.higher * hold.peak {
            if last.seconds - hold.peakSeconds > Self.blindSeconds { hold.risingSince = last.seconds }
            hold.peak = recent
            hold.memoryAtPeak = max(hold.memoryAtPeak, last.memory)
            hold.peakSeconds = last.seconds
        }
        guard hold.bytesEach <= Self.mostBytesEach else { return nil }
        let further = floor - hold.memoryAtPeak
        guard further < max(Self.furtherBytes, Self.furtherShare * hold.growth) else { return nil }
        let isRising = now - hold.peakSeconds <= Self.blindSeconds
        guard !isRising || now - hold.risingSince <= Self.longestHold else { return nil }
        return hold
    }

    private static func held(_ verdict: Verdict, _ hold: Hold) -> Verdict {
        let grown = ByteCount(Wording.whole(hold.growth))
        let each = ByteCount(Wording.whole(hold.bytesEach))
        let counts = "\(Wording.decimal(hold.before, places: 0)) to \(Wording.decimal(hold.peak, places: 0))"
        return Verdict(
            code: .load, onsetSeconds: verdict.onsetSeconds, slope: verdict.slope,
            evidence: [
                "memory grew by \(grown) while requests under way rose from \(counts): \(each) for each of them",
                "the verdict `leak` is held back: of a leak, memory goes on growing when they no longer rise",
            ] + verdict.evidence)
    }
}
