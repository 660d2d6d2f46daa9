package import OakumModel

/// The verdict on a recorded series as a whole.
package struct RecordedAnalysis: Hashable, Sendable {
    package var series: RecordedSeries
    package var limit: Double?
    package var verdict: Verdict

    /// Plays the series through the live detector, point by point, and judges the whole.
    ///
    /// A leak that was found counts even if the memory came down later (a restart does not undo it); one that was
    /// taken back because the growth ended by itself does not. Where the count of work falls, a new process began:
    /// a new detector goes on from there.
    ///
    /// - Parameter limit: in the unit of the series; nil leaves it to the unit: 100 for percent, none for bytes.
    package init(_ series: RecordedSeries, limit: Double? = nil) {
        self.series = series
        let settings: DetectionSettings = series.unit == .percent ? .machine : .worker
        self.limit = limit ?? (series.unit == .percent ? 100 : nil)
        var lives = Lives(settings: settings, limit: self.limit)
        for point in series.points { lives.add(point) }
        verdict = lives.judgement()
        verdict.evidence += series.remarks
    }
}

/// The lives of the processes in one series: one detector each.
private struct Lives {
    let settings: DetectionSettings
    let limit: Double?
    private var detector: LeakDetector
    private var work: Double?
    private var count = 1
    private var wasLeaking = false
    /// The latest leak verdict that ended by a fall or a restart, and what ended it.
    private var past: (verdict: Verdict, ending: String)?
    private var takenBack: String?
    private var last: SeriesPoint?

    init(settings: DetectionSettings, limit: Double?) {
        self.settings = settings
        self.limit = limit
        detector = LeakDetector(settings: settings, limit: limit)
    }

    mutating func add(_ point: SeriesPoint) {
        if let now = point.work {
            if let before = work, now < before { beginLife(at: point.seconds) }
            work = now
        }
        var before: Verdict?
        // The verdict of the moment before is wanted only if this very point ends it.
        if wasLeaking { before = detector.verdict() }
        detector.add(point)
        if wasLeaking, !detector.isLeaking, let before { end(before, at: point.seconds) }
        wasLeaking = detector.isLeaking
    }

    private mutating func beginLife(at seconds: Double) {
        if wasLeaking { past = (detector.verdict(), "a new process began at second \(Wording.whole(seconds))") }
        detector = LeakDetector(settings: settings, limit: limit)
        wasLeaking = false
        count += 1
    }

    private mutating func end(_ verdict: Verdict, at seconds: Double) {
        let found = Wording.whole(verdict.decidedSeconds ?? 0)
        switch detector.lastRetreat {
        case .fell: past = (verdict, "the memory came down again at second \(Wording.whole(seconds))")
        case .levelledOff, nil:
            takenBack =
                "held to be a leak from second \(found) to \(Wording.whole(seconds)), when the growth had ended by itself"
        }
    }

    mutating func judgement() -> Verdict {
        var verdict = detector.verdict()
        if verdict.code != .leak, let past {
            verdict = past.verdict
            verdict.evidence.append(past.ending)
            // A forecast from back then would be read as one from the end of the recording.
            verdict.timeToLimit = nil
        }
        if let takenBack, verdict.code != .leak { verdict.evidence.append(takenBack) }
        if count > 1 { verdict.evidence.append("\(count) processes one after the other: the work count began anew") }
        return verdict
    }
}
