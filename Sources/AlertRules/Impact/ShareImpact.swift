import Glibc
package import OakumModel

/// When a share of bad requests began to hurt, what it came to, and when it was over: to the reading, not to the window.
///
/// Two sequential tests (Page's CUSUM, Biometrika 41, 1954) on the likelihood ratio of the bad share, each restarting at
/// zero: the last restart before the threshold is crossed is the likeliest moment of the change. Beginning: allowed share ×
/// `ratio` against the allowed share. End: the allowed share against the share seen since the beginning.
package struct ShareImpact: Sendable {
    /// What is going on.
    package struct Episode: Hashable, Sendable {
        package var from: Moment
        /// nil: it goes on.
        package var until: Moment?
        package var all: Double
        package var bad: Double
    }

    private struct Mark: Sendable {
        var at: Moment
        var all: Double
        var bad: Double
    }

    /// How often as many as allowed is held to be hurtful.
    private static let ratio = 10.0
    /// A chance of e^−14, about one in a million, for each time it restarts.
    private static let beginThreshold = 14.0
    private static let endThreshold = 9.0

    private let allowed: Double
    /// In good times the share may be as high as this without an end being denied.
    private var calm: Double { min(0.4, allowed * 2) }
    private var hurtful: Double { min(0.5, allowed * Self.ratio) }
    private var all = 0.0
    private var bad = 0.0
    private var rising = 0.0
    private var falling = 0.0
    private var calmMark: Mark?
    private var endMark: Mark?
    private var begin: Mark?
    /// The last one; kept until the next begins.
    package private(set) var episode: Episode?

    /// - Parameter allowed: share of bad requests that nobody minds, 1e-5 to 0.5.
    package init(allowed: Double) {
        self.allowed = min(0.5, max(1e-5, allowed))
    }

    package var isOn: Bool { begin != nil }

    /// Takes in what was counted since the last call.
    package mutating func add(all: Double, bad: Double, from: Moment, at now: Moment) {
        guard all > 0, bad >= 0, bad <= all else { return }
        if begin == nil {
            lookForBegin(all, bad, from: from)
        } else {
            lookForEnd(all, bad, from: from)
        }
        self.all += all
        self.bad += bad
        if begin == nil, rising > Self.beginThreshold { start() }
        if let begin {
            episode = Episode(from: begin.at, until: nil, all: self.all - begin.all, bad: self.bad - begin.bad)
            if falling > Self.endThreshold { finish(begin) }
        }
    }

    private mutating func lookForBegin(_ all: Double, _ bad: Double, from: Moment) {
        if rising <= 0 || calmMark == nil {
            rising = 0
            calmMark = Mark(at: from, all: self.all, bad: self.bad)
        }
        rising += bad * log(hurtful / allowed) + (all - bad) * log((1 - hurtful) / (1 - allowed))
    }

    private mutating func lookForEnd(_ all: Double, _ bad: Double, from: Moment) {
        if falling <= 0 || endMark == nil {
            falling = 0
            endMark = Mark(at: from, all: self.all, bad: self.bad)
        }
        guard let begin else { return }
        // What it was while it lasted; little is known at the beginning.
        let seen = ((endMark?.bad ?? 0) - begin.bad + 1) / ((endMark?.all ?? 0) - begin.all + 2)
        let during = min(0.95, max(calm * 3, seen))
        falling += bad * log(calm / during) + (all - bad) * log((1 - calm) / (1 - during))
    }

    private mutating func start() {
        begin = calmMark
        falling = 0
        endMark = nil
    }

    private mutating func finish(_ begin: Mark) {
        guard let end = endMark else { return }
        episode = Episode(from: begin.at, until: end.at, all: end.all - begin.all, bad: end.bad - begin.bad)
        self.begin = nil
        rising = 0
        falling = 0
        calmMark = nil
        endMark = nil
    }
}

extension ShareImpact {
    /// "requests answered well: 9,488 of 10,000".
    func impact(_ what: String, service: String?) -> [Impact] {
        guard let episode, episode.all > 0 else { return [] }
        return [
            Impact(
                what: what, service: service, actual: episode.all - episode.bad,
                expected: Estimate(estimate: episode.all, low: episode.all, high: episode.all),
                from: episode.from.wall, until: episode.until?.wall, basis: "counted by the service")
        ]
    }
}
