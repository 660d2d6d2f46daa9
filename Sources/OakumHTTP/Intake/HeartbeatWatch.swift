package import OakumModel

/// A job that says "I live" by asking for an address now and then, and is missed when it does not.
package struct HeartbeatSettings: Hashable, Sendable {
    /// The secret part of its address: 16 to 128 letters, digits, `_` and `-`.
    package var id: String
    /// What people call it: "nightly backup".
    package var name: String
    package var service: String?
    /// Seconds that may pass from one sign of life to the next, at least 10.
    package var every: Double
    package var severity: Severity

    package init(id: String, name: String, service: String? = nil, every: Double, severity: Severity = .error) {
        self.id = id
        self.name = name
        self.service = service
        self.every = max(10, every)
        self.severity = severity
    }
}

/// Which jobs are late. Pure: the time comes in.
///
/// After a start of Oakum time goes on from when a job was heard last. What it said meanwhile is not known, so it is
/// not missed before it could say it again: for `grace` seconds, or its full time if that is less.
struct HeartbeatWatch: Sendable {
    enum Beat: Hashable, Sendable {
        case unknown
        case onTime
        /// It was missed and told; that is over.
        case back(HeartbeatSettings)
    }

    private struct Monitor {
        var settings: HeartbeatSettings
        var last: Uptime
        /// Not missed before.
        var notBefore: Uptime
        /// Told as missed.
        var isTold = false
    }

    static let grace = 300.0

    private var monitors: [Monitor]

    /// - Parameters:
    ///   - heard: when it was heard last before; nil: never, so that its time begins now.
    ///   - isTold: whether it was missed and told before Oakum ended.
    init(
        _ settings: [HeartbeatSettings], at now: Uptime, heard: (HeartbeatSettings) -> Uptime?,
        isTold: (HeartbeatSettings) -> Bool
    ) {
        monitors = settings.map {
            Monitor(
                settings: $0, last: min(now, heard($0) ?? now), notBefore: now + min($0.every, Self.grace),
                isTold: isTold($0))
        }
    }

    /// When each was heard last.
    var heard: [(settings: HeartbeatSettings, last: Uptime)] { monitors.map { ($0.settings, $0.last) } }

    /// A sign of life.
    mutating func beat(_ id: String, at now: Uptime) -> Beat {
        // All are compared, so that the time tells nothing of an id.
        let given = Array(id.utf8)
        let index = monitors.indices.filter { Crypto.equal(Array(monitors[$0].settings.id.utf8), given) }.first
        guard let index else { return .unknown }
        monitors[index].last = now
        return monitors[index].isTold ? .back(monitors[index].settings) : .onTime
    }

    /// Those that are missed and not told yet, with when they were heard last.
    func missed(at now: Uptime) -> [(settings: HeartbeatSettings, last: Uptime)] {
        monitors.filter { !$0.isTold && now - $0.last > $0.settings.every && now >= $0.notBefore }
            .map { ($0.settings, $0.last) }
    }

    /// When it was heard last; nil: there is no such job.
    func last(_ settings: HeartbeatSettings) -> Uptime? {
        monitors.first { $0.settings.id == settings.id }?.last
    }

    /// Notes that an alert was stored.
    mutating func told(_ settings: HeartbeatSettings, isMissed: Bool) {
        for index in monitors.indices where monitors[index].settings.id == settings.id {
            monitors[index].isTold = isMissed
        }
    }
}
