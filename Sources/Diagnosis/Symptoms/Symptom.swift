/// Something that users feel or operators see is wrong, whatever the cause.
package struct Symptom: Hashable, Sendable {
    package var kind: SignalKind
    /// Which one, where there may be several: a volume.
    package var name: String?
    /// Since when it is seen, on the axis of the readings.
    package var since: Double
    /// What was usual before; nil where there is a limit of its own.
    package var usual: Double?
    /// What it was when it became a symptom.
    package var level: Double

    /// "CPU is at 1.20 cores, usual are 0.30 cores".
    package var sentence: String {
        let subject = Phrases.sentence(Phrases.subject(kind, name))
        let now = Phrases.amount(level, of: kind)
        guard let usual else { return "\(subject) is down to \(now)" }
        return "\(subject) is at \(now), usual is \(Phrases.amount(usual, of: kind))"
    }

    /// "CPU is as usual again after 4 min".
    package func ending(at seconds: Double) -> String {
        let subject = Phrases.sentence(Phrases.subject(kind, name))
        return "\(subject) is as usual again after \(Phrases.duration(seconds - since))"
    }

    /// "CPU has stayed high for 30 min: that counts as usual from now on".
    package func habit(at seconds: Double) -> String {
        let subject = Phrases.sentence(Phrases.subject(kind, name))
        return "\(subject) has stayed there for \(Phrases.duration(seconds - since)): that counts as usual from now on"
    }
}

/// What a symptom watch looks at: one moment of one service and its host. What is not known is left out.
package struct SymptomReading: Hashable, Sendable {
    package struct Key: Hashable, Sendable, Comparable {
        package var kind: SignalKind
        package var name: String?

        package init(_ kind: SignalKind, name: String? = nil) {
            self.kind = kind
            self.name = name
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.kind.rawValue, left.name ?? "") < (right.kind.rawValue, right.name ?? "")
        }
    }

    package var seconds: Double
    /// Nil when it is not known whether the service is used.
    package var requestsPerSecond: Double?
    /// A worker has just started: what it costs is its own set-up.
    package var isSettling = false
    package private(set) var levels: [Key: Double] = [:]

    package init(seconds: Double) {
        self.seconds = seconds
    }

    package subscript(_ kind: SignalKind, name name: String? = nil) -> Double? {
        get { levels[Key(kind, name: name)] }
        set { levels[Key(kind, name: name)] = newValue.flatMap { $0.isFinite ? $0 : nil } }
    }
}
